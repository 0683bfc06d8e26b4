"""Why customers said no: masked, grouped, told each week."""
