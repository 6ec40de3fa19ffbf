"""The MQTT broker's process, seen from the one that starts it."""
