"""The proxy ``simpy serve``: an OpenAI-compatible server in front of another, with DualCode between the two.

``dualcode.server.app`` puts it together; nothing is imported here, since its libraries are an extra.
"""
