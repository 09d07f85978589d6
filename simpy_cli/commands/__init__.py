"""One module a subcommand, each with ``add_parser`` and ``run``. ``simpy_cli.registry`` lists them."""
