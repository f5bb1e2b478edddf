"""The Docker engine: images, containers, the base image."""
