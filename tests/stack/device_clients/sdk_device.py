"""A device on Microsoft's azure-iot-device: sends, uses its twin, and says in JSON lines what reaches it.

Arguments: connection string, authority's file. Ends when stdin does.
"""

import json
import sys
from pathlib import Path

from azure.iot.device import IoTHubDeviceClient, Message, MethodResponse

connection_string, authority = sys.argv[1:]


def say(**values):
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


trusted = Path(authority).read_text()
client = IoTHubDeviceClient.create_from_connection_string(connection_string, server_verification_cert=trusted)
client.connect()
message = Message('{"from": "sdk"}')
message.content_type = "application/json"
message.content_encoding = "utf-8"
message.message_id = "sdk-1"
message.custom_properties["shop"] = "Zürich & Söhne"
client.send_message(message)
client.patch_twin_reported_properties({"firmware": "1.2"})
say(what="twin", twin=client.get_twin())


def on_method(request):
    client.send_method_response(MethodResponse.create_from_method_request(request, 201, {"got": request.payload}))


def on_message(received):
    say(what="message", text=received.data.decode(), id=received.message_id, own=received.custom_properties)


client.on_method_request_received = on_method
client.on_message_received = on_message
client.on_twin_desired_properties_patch_received = lambda patch: say(what="desired", patch=patch)
say(what="ready")
sys.stdin.read()
client.shutdown()
