"""What a user can ask for, one module a domain; blocking and asynchronous twins stand side by side."""
