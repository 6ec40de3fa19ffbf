package fraudstream.devices;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The properties of a message, in the order in which they were sent, by the names that the hub's Event Hubs-compatible
 * endpoint has for them.
 *
 * <p>Source: "System property names" of "Create and read IoT Hub messages" in the service's documentation.
 */
final class Properties {
    private static final Map<String, String> SYSTEM = Map.of(
        "$.mid", "message-id",
        "$.cid", "correlation-id",
        "$.uid", "user-id",
        "$.ct", "content-type",
        "$.ce", "content-encoding",
        "$.to", "to",
        "$.exp", "absolute-expiry-time",
        "$.sub", "dt-subject",
        "$.ifid", "iothub-interface-id",
        "$.ctime", "iothub-creation-time-utc");
    // What the hub stamps, so that no device speaks for another one.
    private static final String STAMPED = "iothub-connection-";

    private final Map<String, byte[]> values = new LinkedHashMap<>();
    private int size;

    private Properties() {
    }

    /** The properties of a bag, {@code name=value&name=value} with percent signs; none where it is malformed. */
    static Optional<Properties> of(String bag) {
        Properties properties = new Properties();
        for (String pair : (bag.startsWith("?") ? bag.substring(1) : bag).split("&")) {
            if (pair.isEmpty() || pair.equals("/")) {
                continue;
            }
            int equals = pair.indexOf('=');
            Optional<String> name = Topic.decoded(equals < 0 ? pair : pair.substring(0, equals));
            Optional<String> value = Topic.decoded(equals < 0 ? "" : pair.substring(equals + 1));
            if (name.isEmpty() || value.isEmpty() || name.get().isEmpty()) {
                return Optional.empty();
            }
            properties.add(name.get(), value.get());
        }
        return Optional.of(properties);
    }

    private void add(String name, String value) {
        String system = SYSTEM.get(name);
        if (system == null && name.startsWith(STAMPED)) {
            return;
        }
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        size += bytes.length + (system == null ? name.getBytes(StandardCharsets.UTF_8).length : 0);
        values.put(system == null ? name : system, bytes);
    }

    /** Sets a property that the hub knows and the device does not. */
    void stamp(String name, String value) {
        values.put(name, value.getBytes(StandardCharsets.UTF_8));
    }

    /** What the device's own properties count towards the size of a message, bytes. */
    int size() {
        return size;
    }

    Map<String, byte[]> all() {
        return values;
    }
}
