"""An SSH server: RFC 4250 to 4254 and what OpenSSH adds. server.py is what is used from outside."""
