"""Devices of an IoT hub: a registry with its REST API, and an MQTT broker with the hub's conventions."""
