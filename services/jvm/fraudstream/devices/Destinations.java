package fraudstream.devices;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Where messages of devices go: telemetry to Kafka, or at an edge to its own store; all else to the registry. */
final class Destinations {
    private final Link link;
    private final Delivery delivery;
    private final Optional<Telemetry> kafka;

    Destinations(Link link, Delivery delivery, Optional<Telemetry> kafka) {
        this.link = link;
        this.delivery = delivery;
        this.kafka = kafka;
    }

    /** Completes once the message is kept. */
    CompletableFuture<Void> telemetry(Connection connection, String topic, Properties properties, byte[] body) {
        return kafka.isPresent()
            ? kafka.get().send(connection.identity, properties, body) : stored(connection, topic, body);
    }

    private CompletableFuture<Void> stored(Connection connection, String topic, byte[] body) {
        return asked("telemetry", connection, topic, body).thenCompose(Destinations::outcome);
    }

    /** Completes once the request is answered, and the answer on its way to the device. */
    CompletableFuture<Void> request(Connection connection, String topic, byte[] body) {
        return asked("request", connection, topic, body).thenCompose(answer -> {
            answer.path("publishes").forEach(delivery::deliver);
            return outcome(answer);
        });
    }

    /** A message that ends its connection. */
    void refused(Connection connection, String reason) {
        link.log("warning", "message_refused", Map.of("device", connection.identity.device(), "reason", reason));
    }

    private CompletableFuture<JsonNode> asked(String what, Connection connection, String topic, byte[] body) {
        ObjectNode question = Link.JSON.createObjectNode()
            .put("client", connection.identity.device())
            .put("topic", topic)
            .put("body", Base64.getEncoder().encodeToString(body));
        return link.ask(what, question);
    }

    private static CompletableFuture<Void> outcome(JsonNode answer) {
        return answer.has("refused")
            ? Inbound.failed(answer.get("refused").asText()) : CompletableFuture.completedFuture(null);
    }
}
