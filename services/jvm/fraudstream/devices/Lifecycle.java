package fraudstream.devices;

import com.hivemq.extension.sdk.api.events.client.ClientLifecycleEventListener;
import com.hivemq.extension.sdk.api.events.client.parameters.AuthenticationFailedInput;
import com.hivemq.extension.sdk.api.events.client.parameters.AuthenticationSuccessfulInput;
import com.hivemq.extension.sdk.api.events.client.parameters.ClientInitiatedDisconnectInput;
import com.hivemq.extension.sdk.api.events.client.parameters.ConnectionStartInput;
import com.hivemq.extension.sdk.api.events.client.parameters.DisconnectEventInput;
import com.hivemq.extension.sdk.api.packets.connect.WillPublishPacket;

/** The ends of connections: the registry learns of them, and a Will becomes telemetry. */
final class Lifecycle implements ClientLifecycleEventListener {
    private final Link link;
    private final Connections connections;
    private final Destinations destinations;

    Lifecycle(Link link, Connections connections, Destinations destinations) {
        this.link = link;
        this.connections = connections;
        this.destinations = destinations;
    }

    @Override
    public void onMqttConnectionStart(ConnectionStartInput input) {
        // Nobody is known yet.
    }

    @Override
    public void onAuthenticationSuccessful(AuthenticationSuccessfulInput input) {
        // A connection is its device's once the broker has ended the former one.
    }

    @Override
    public void onAuthenticationFailedDisconnect(AuthenticationFailedInput input) {
        // The registry has said so itself.
    }

    @Override
    public void onClientInitiatedDisconnect(ClientInitiatedDisconnectInput input) {
        connections.of(input.getConnectionInformation()).ifPresent(this::end);
    }

    @Override
    public void onDisconnect(DisconnectEventInput input) {
        connections.of(input.getConnectionInformation()).ifPresent(connection -> {
            if (!connection.isRevoked()) {
                connection.will.ifPresent(will -> send(connection, will));
            }
            end(connection);
        });
    }

    private void send(Connection connection, WillPublishPacket will) {
        Topic.telemetry(will.getTopic(), connection.identity.device()).flatMap(Properties::of).ifPresent(properties -> {
            properties.stamp("iothub-MessageType", "Will");
            byte[] body = will.getPayload().map(Inbound::bytes).orElse(new byte[0]);
            destinations.telemetry(connection, will.getTopic(), properties, body);
        });
    }

    private void end(Connection connection) {
        connections.end(connection);
        link.tell("disconnected", Link.JSON.createObjectNode()
            .put("client", connection.identity.device()).put("connection", connection.number));
    }
}
