"""An IoT hub's limits in front of the local hub: over MQTT for devices, over HTTPS for services."""
