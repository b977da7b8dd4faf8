"""The demo programme: text, cast and story in words of their own, and the loader that lives it through the services."""

SLUG = "program-wspolpracy-2027-2030"
