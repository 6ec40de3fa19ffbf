"""Events over MQTT: terminals as devices of an IoT hub."""
