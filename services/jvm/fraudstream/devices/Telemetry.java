package fraudstream.devices;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Puts what devices send on a topic, keyed by the device's id as the hub's own endpoint is. */
final class Telemetry implements AutoCloseable {
    private static final Map<String, Object> OPTIONS = Map.of(
        "acks", "all",
        "linger.ms", 0,
        "enable.idempotence", true,
        "delivery.timeout.ms", 60_000,
        "request.timeout.ms", 25_000,
        "reconnect.backoff.max.ms", 1_000,
        "allow.auto.create.topics", false);

    private final String topic;
    private final KafkaProducer<byte[], byte[]> producer;
    // A producer blocks while Kafka is away. A device waits for each message's answer, so that this queue holds no more
    // messages than there are devices.
    private final ExecutorService sender = Executors.newSingleThreadExecutor(task -> new Thread(task, "telemetry"));

    Telemetry(JsonNode settings) {
        topic = settings.path("topic").asText();
        Map<String, Object> options = new HashMap<>(OPTIONS);
        settings.path("kafka").fields()
            .forEachRemaining(option -> options.put(option.getKey(), option.getValue().asText()));
        producer = new KafkaProducer<>(options, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** Completes once all of the topic's replicas have the message, or with what the broker said instead. */
    CompletableFuture<Void> send(Connection.Identity sender, Properties properties, byte[] body) {
        stamp(sender, properties);
        RecordHeaders headers = new RecordHeaders();
        properties.all().forEach(headers::add);
        byte[] key = sender.device().getBytes(StandardCharsets.UTF_8);
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, null, key, body, headers);
        CompletableFuture<Void> sent = new CompletableFuture<>();
        this.sender.execute(() -> publish(record, sent));
        return sent;
    }

    private void publish(ProducerRecord<byte[], byte[]> record, CompletableFuture<Void> sent) {
        try {
            producer.send(record, (metadata, error) -> {
                if (error == null) {
                    sent.complete(null);
                } else {
                    sent.completeExceptionally(error);
                }
            });
        } catch (RuntimeException error) { // a record larger than the producer's limit, or one that is closed
            sent.completeExceptionally(error);
        }
    }

    private static void stamp(Connection.Identity sender, Properties properties) {
        properties.stamp("iothub-connection-device-id", sender.device());
        properties.stamp("iothub-connection-auth-method", sender.method());
        properties.stamp("iothub-connection-auth-generation-id", sender.generation());
        properties.stamp("iothub-enqueuedtime", DateTimeFormatter.ISO_INSTANT.format(now()));
        properties.stamp("iothub-message-source", "Telemetry");
        if (!sender.model().isEmpty()) {
            properties.stamp("dt-dataschema", sender.model());
        }
    }

    private static Instant now() {
        return Instant.now().truncatedTo(ChronoUnit.MILLIS);
    }

    @Override
    public void close() {
        sender.shutdown();
        producer.close(java.time.Duration.ofSeconds(5));
    }
}
