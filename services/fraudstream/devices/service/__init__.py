"""The hub's REST API for services, as the Azure IoT hub's."""
