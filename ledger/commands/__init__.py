"""The commands that write, one group of them a file; each module holds its groups under the names that are typed.

A command parses, calls one function of the ledger, and prints what came of it: it holds no rule. Everything heavy is
imported inside the commands, so that help is as quick as that of an empty click program. The root command, `cli.py`,
names the modules and hands in what surrounds a write; nothing here knows of `projections`.
"""
