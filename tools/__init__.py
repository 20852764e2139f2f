"""What the Makefile runs: the demo, the sandbox of the default environment, the plugin definitions."""
