package fraudstream.devices;

import com.codahale.metrics.MetricRegistry;
import com.fasterxml.jackson.databind.JsonNode;
import com.hivemq.HiveMQServer;
import com.hivemq.configuration.ConfigurationBootstrap;
import com.hivemq.configuration.info.SystemInformationImpl;
import com.hivemq.configuration.service.InternalConfigurations;
import com.hivemq.embedded.EmbeddedExtension;
import com.hivemq.extension.sdk.api.ExtensionMain;
import com.hivemq.extension.sdk.api.parameter.ExtensionStartInput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStartOutput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStopInput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStopOutput;
import com.hivemq.extension.sdk.api.services.Services;
import com.hivemq.migration.meta.PersistenceType;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * An MQTT broker for devices, as an Azure IoT hub is one: HiveMQ CE, with the hub's rules in front of it.
 *
 * <p>{@code Broker FOLDER} keeps sessions in FOLDER, and takes its settings, which hold secrets, from the first line of
 * its {@link Link}. It ends at once when the process that started it does, and in order when it is asked to.
 */
public final class Broker {
    private final Link link;
    private final JsonNode settings;
    private final Connections connections = new Connections();

    private Broker(Link link, JsonNode settings) {
        this.link = link;
        this.settings = settings;
    }

    /** Serves until stdin ends. Exit statuses: 0, or 1 after a line that says why it cannot serve. */
    public static void main(String[] arguments) throws IOException {
        OutputStream out = System.out;
        System.setOut(System.err); // the way to the process that started this one is nobody else's
        Link link = new Link(System.in, out);
        int status = 0;
        try {
            JsonNode settings = link.next();
            if (settings != null) {
                new Broker(link, settings).serve(Path.of(arguments[0]));
            }
        } catch (Exception error) {
            link.tell("failed", Link.JSON.createObjectNode().put("reason", String.valueOf(error.getMessage())));
            status = 1;
        }
        // An orderly exit would wait for the library's threads, which have nothing left to do.
        Runtime.getRuntime().halt(status);
    }

    private void serve(Path folder) throws Exception {
        System.setProperty("hivemq.home", folder.toAbsolutePath().toString());
        configure();
        Optional<Telemetry> kafka = settings.has("kafka") ? Optional.of(new Telemetry(settings)) : Optional.empty();
        Delivery delivery = new Delivery(link, connections);
        Destinations destinations = new Destinations(link, delivery, kafka);
        SystemInformationImpl places = Configuration.write(folder, settings);
        Sessions.check(places.getDataFolder().toPath(), link);
        HiveMQServer server = new HiveMQServer(
            places, new MetricRegistry(), ConfigurationBootstrap.bootstrapConfig(places), false, false);
        server.bootstrap();
        server.startInstance(extension(server, delivery, destinations));
        Configuration.forget(folder);
        link.tell("ready", Link.JSON.createObjectNode());
        link.serve(request -> take(request, delivery, () -> {
            server.stop();
            kafka.ifPresent(Telemetry::close);
        }));
        // Whoever started this one was killed, and may be started anew: its ports and files must be free at once.
    }

    private static void configure() {
        // Nobody comes in whom no authenticator has let in.
        InternalConfigurations.AUTH_DENY_UNAUTHENTICATED_CONNECTIONS.set(true);
        InternalConfigurations.MQTT_ALLOW_DOLLAR_TOPICS.set(true);
        // Without native libraries: what is kept are sessions, and hardly any messages.
        InternalConfigurations.PAYLOAD_PERSISTENCE_TYPE.set(PersistenceType.FILE);
        InternalConfigurations.RETAINED_MESSAGE_PERSISTENCE_TYPE.set(PersistenceType.FILE);
        InternalConfigurations.PERSISTENCE_BUCKET_COUNT.set(4);
        InternalConfigurations.PAYLOAD_PERSISTENCE_BUCKET_COUNT.set(4);
        InternalConfigurations.JMX_REPORTER_ENABLED.set(false);
        InternalConfigurations.PERSISTENCE_SHUTDOWN_GRACE_PERIOD_MSEC.set(100);
    }

    private EmbeddedExtension extension(HiveMQServer server, Delivery delivery, Destinations destinations) {
        return EmbeddedExtension.builder()
            .withId("fraudstream")
            .withName("fraudstream")
            .withVersion("1")
            .withAuthor("fraudstream")
            .withPriority(0)
            .withStartPriority(0)
            .withExtensionMain(new Rules(server, delivery, destinations))
            .build();
    }

    private void take(JsonNode request, Delivery delivery, Runnable stop) {
        switch (request.path("ask").asText()) {
            case "deliver" -> delivery.deliver(request).whenComplete((delivered, error) ->
                link.answer(request, Link.JSON.getNodeFactory().booleanNode(error == null && delivered)));
            case "disconnect" -> {
                connections.ofDevice(request.path("client").asText()).ifPresent(this::disconnect);
                link.answer(request, Link.JSON.getNodeFactory().booleanNode(true));
            }
            case "stop" -> {
                stop.run();
                link.answer(request, Link.JSON.getNodeFactory().booleanNode(true));
            }
            default -> link.log("warning", "unknown_request", Map.of("ask", request.path("ask").asText()));
        }
    }

    private void disconnect(Connection connection) {
        connection.revoke();
        Services.clientService().disconnectClient(connection.identity.device(), true);
    }

    /** The hub's rules, as the broker calls them. */
    private final class Rules implements ExtensionMain {
        private final HiveMQServer server;
        private final Delivery delivery;
        private final Destinations destinations;

        private Rules(HiveMQServer server, Delivery delivery, Destinations destinations) {
            this.server = server;
            this.delivery = delivery;
            this.destinations = destinations;
        }

        @Override
        public void extensionStart(ExtensionStartInput input, ExtensionStartOutput output) {
            Admission admission = new Admission(link, connections);
            Subscriptions subscriptions = new Subscriptions(link, connections);
            Lifecycle lifecycle = new Lifecycle(link, connections, destinations);
            Services.interceptorRegistry().setConnectInboundInterceptorProvider(provider -> new KeepAlive());
            Services.securityRegistry().setAuthenticatorProvider(provider -> admission);
            Services.securityRegistry().setAuthorizerProvider(provider -> subscriptions);
            Services.eventRegistry().setClientLifecycleEventListener(provider -> lifecycle);
            Services.initializerRegistry()
                .setClientInitializer(new Settlement(link, connections, delivery, destinations, server));
        }

        @Override
        public void extensionStop(ExtensionStopInput input, ExtensionStopOutput output) {
            // The process ends.
        }
    }
}
