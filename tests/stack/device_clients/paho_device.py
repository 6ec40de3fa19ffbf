"""A device on paho-mqtt alone, 1.6 or 2.x: sends, asks its twin, and says in JSON what came of it.

Arguments: host, port, user, password, device, authority's file.
"""

import json
import ssl
import sys
import threading

import paho.mqtt
from paho.mqtt import client as mqtt

host, port, user, password, device, authority = sys.argv[1:]
answers: dict = {}
answered = threading.Event()


def on_message(_client, _data, message):
    answers[message.topic] = json.loads(message.payload or b"null")
    answered.set()


versions = {"callback_api_version": mqtt.CallbackAPIVersion.VERSION1} if hasattr(mqtt, "CallbackAPIVersion") else {}
client = mqtt.Client(client_id=device, protocol=mqtt.MQTTv311, **versions)
client.username_pw_set(user, password)
client.tls_set(ca_certs=authority, cert_reqs=ssl.CERT_REQUIRED)
client.on_message = on_message
client.connect(host, int(port))
client.loop_start()
published = client.publish(f"devices/{device}/messages/events/", f'{{"from": "{device}"}}', qos=1)
published.wait_for_publish(30)
client.subscribe("$iothub/twin/res/#", qos=0)
client.publish("$iothub/twin/GET/?$rid=7", b"", qos=0)
answered.wait(30)
client.disconnect()
client.loop_stop()
said = {"version": paho.mqtt.__version__, "published": published.is_published(), "answers": answers}
sys.stdout.write(json.dumps(said))
