"""The 2020 case as data, and a nation of invented people whose files it reads."""
