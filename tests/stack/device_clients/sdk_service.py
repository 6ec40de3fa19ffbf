"""A service on Microsoft's azure-iot-hub: registers a device, changes its twin, and says in JSON what came of it.

Argument: the connection string of a policy of the hub.
"""

import base64
import json
import sys

from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod, QuerySpecification, Twin, TwinProperties

hub = IoTHubRegistryManager.from_connection_string(sys.argv[1])
key = base64.b64encode(b"service-1" * 3).decode()


def status_of(call, *arguments):
    try:
        call(*arguments)
    except Exception as error:
        return getattr(getattr(error, "response", None), "status_code", None) or str(error)
    return 200


created = hub.create_device_with_sas(
    device_id="service-1", primary_key=key, secondary_key=key, status="enabled", iot_edge=False
)
twin = hub.update_twin("service-1", Twin(properties=TwinProperties(desired={"rate": 4})), "*")
devices = hub.query_iot_hub(QuerySpecification(query="SELECT * FROM devices WHERE properties.desired.rate = 4"))
said = {
    "created": created.device_id,
    "key": created.authentication.symmetric_key.primary_key,
    "twin": {"rate": hub.get_twin("service-1").properties.desired["rate"]},
    "found": [item.device_id for item in devices.items],
    "again": status_of(hub.create_device_with_sas, "service-1", key, key, "enabled"),
    "method": status_of(hub.invoke_device_method, "service-1", CloudToDeviceMethod(method_name="reboot")),
    "count": hub.get_device_registry_statistics().total_device_count,
    "connected": hub.get_service_statistics().connected_device_count,
}
sys.stdout.write(json.dumps(said))
