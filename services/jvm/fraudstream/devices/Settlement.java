package fraudstream.devices;

import com.hivemq.HiveMQServer;
import com.hivemq.bootstrap.ClientConnection;
import com.hivemq.bootstrap.netty.ChannelHandlerNames;
import com.hivemq.extension.sdk.api.client.ClientContext;
import com.hivemq.extension.sdk.api.client.parameter.InitializerInput;
import com.hivemq.extension.sdk.api.interceptor.suback.SubackOutboundInterceptor;
import com.hivemq.extension.sdk.api.interceptor.subscribe.parameter.SubscribeInboundInput;
import com.hivemq.extension.sdk.api.interceptor.subscribe.parameter.SubscribeInboundOutput;
import com.hivemq.extension.sdk.api.packets.general.Qos;
import com.hivemq.extension.sdk.api.services.Services;
import com.hivemq.extension.sdk.api.services.intializer.ClientInitializer;
import com.hivemq.persistence.connection.ConnectionPersistence;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Gives a connection that the broker has settled the hub's rules, and an end when its token has one. */
final class Settlement implements ClientInitializer {
    private final Link link;
    private final Connections connections;
    private final Delivery delivery;
    private final Destinations destinations;
    private final HiveMQServer server;
    private final ScheduledExecutorService clock =
        Executors.newSingleThreadScheduledExecutor(task -> new Thread(task, "tokens"));

    Settlement(
        Link link, Connections connections, Delivery delivery, Destinations destinations, HiveMQServer server) {
        this.link = link;
        this.connections = connections;
        this.delivery = delivery;
        this.destinations = destinations;
        this.server = server;
    }

    @Override
    public void initialize(InitializerInput input, ClientContext context) {
        String device = input.getClientInformation().getClientId();
        Optional<Connection> signedIn = connections.of(input.getConnectionInformation());
        ClientConnection socket = server.getInjector().getInstance(ConnectionPersistence.class).get(device);
        if (signedIn.isEmpty() || socket == null) { // it has ended meanwhile
            Services.clientService().disconnectClient(device);
            return;
        }
        Connection connection = signedIn.get();
        connections.settle(connection);
        Flow flow = new Flow(socket.getChannel());
        socket.getChannel().pipeline().addBefore(ChannelHandlerNames.INTERCEPTOR_HANDLER, "flow", flow);
        context.addPublishInboundInterceptor(new Inbound(connection, flow, destinations));
        Delivery.Watch watch = delivery.watch(device);
        context.addPublishOutboundInterceptor(watch);
        context.addPubackInboundInterceptor(watch);
        context.addSubscribeInboundInterceptor(Settlement::limit);
        context.addSubackOutboundInterceptor(subscribed(connection));
        endWithToken(connection);
        tell("connected", connection);
    }

    /** The hub grants QoS 1 to whoever asks for QoS 2. */
    private static void limit(SubscribeInboundInput input, SubscribeInboundOutput output) {
        output.getSubscribePacket().getSubscriptions().stream()
            .filter(subscription -> subscription.getQos() == Qos.EXACTLY_ONCE)
            .forEach(subscription -> subscription.setQos(Qos.AT_LEAST_ONCE));
    }

    private SubackOutboundInterceptor subscribed(Connection connection) {
        return (input, output) -> tell("subscribed", connection);
    }

    private void endWithToken(Connection connection) {
        if (connection.identity.expires() > 0) {
            long seconds = connection.identity.expires() - System.currentTimeMillis() / 1000;
            clock.schedule(() -> end(connection), Math.max(0, seconds), TimeUnit.SECONDS);
        }
    }

    private void end(Connection connection) {
        boolean isCurrent = connections.ofDevice(connection.identity.device()).filter(connection::equals).isPresent();
        if (isCurrent) {
            connection.refuse();
            Services.clientService().disconnectClient(connection.identity.device());
        }
    }

    private void tell(String what, Connection connection) {
        var filters = Link.JSON.valueToTree(connection.filters);
        link.tell(what, Link.JSON.createObjectNode()
            .put("client", connection.identity.device())
            .put("connection", connection.number)
            .set("filters", filters));
    }
}
