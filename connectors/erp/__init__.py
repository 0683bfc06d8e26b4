"""ERPs: Kingdee K/3 Cloud, Yonyou U9C, CSV files, and a signed POST for any other."""
