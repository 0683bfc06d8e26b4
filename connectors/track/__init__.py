"""What websites tell of their visitors: the door `POST /track`, and links in material."""
