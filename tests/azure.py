"""A complete azure profile, with keys made here: as long as the services' own, and known to nobody else."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote_plus

SAS_KEY = base64.b64encode(bytes(range(32))).decode()
COSMOS_KEY = base64.b64encode(bytes(range(64))).decode()
CONNECTION_STRING = (
    f"Endpoint=sb://space.servicebus.windows.net/;SharedAccessKeyName=fraudstream-services;SharedAccessKey={SAS_KEY}"
)
HUB_STRING = f"HostName=mine.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey={SAS_KEY}"
MONGO_URI = (
    f"mongodb://account:{quote_plus(COSMOS_KEY)}@account.mongo.cosmos.azure.com:10255/"
    "?ssl=true&replicaSet=globaldb&retrywrites=false&maxIdleTimeMS=120000&appName=@account@"
)
AZURE: dict[str, Any] = {
    "profile": "azure",
    "kafka_bootstrap_servers": "space.servicebus.windows.net:9093",
    "kafka_sasl_password": CONNECTION_STRING,
    "mongo_uri": MONGO_URI,
    "mlflow_tracking_uri": "https://mlflow.example.azurecontainerapps.io",
    "scoring_url": "https://fraud.westeurope.inference.ml.azure.com",
    "scoring_key": base64.b64encode(bytes(range(1, 25))).decode(),
}
