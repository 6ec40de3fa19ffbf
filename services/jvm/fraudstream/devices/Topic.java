package fraudstream.devices;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Set;

/**
 * The topics of an IoT hub, which are all that a device may use.
 *
 * <p>Source: "Communicate with an IoT hub using the MQTT protocol" of the service's documentation. Clients write the
 * characters of a device's id that a topic cannot hold with percent signs.
 */
final class Topic {
    private static final String DEVICES = "devices/";
    private static final String EVENTS = "messages/events";
    private static final String DEVICE_BOUND = "messages/devicebound/";
    private static final Set<String> SERVICE = Set.of("$iothub/twin/GET/", "$iothub/twin/PATCH/properties/reported/");
    private static final String METHOD_ANSWER = "$iothub/methods/res/";
    private static final Set<String> FILTERS = Set.of("$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#");
    private static final String METHODS = "$iothub/methods/POST/";

    private Topic() {
    }

    /** The property bag of a topic on which the device sends telemetry, an empty text for none; or no telemetry. */
    static Optional<String> telemetry(String topic, String device) {
        Optional<String> rest = ofDevice(topic, device);
        if (rest.isEmpty() || !rest.get().startsWith(EVENTS)) {
            return Optional.empty();
        }
        String bag = rest.get().substring(EVENTS.length());
        if (!bag.isEmpty() && !bag.startsWith("/")) {
            return Optional.empty();
        }
        return Optional.of(bag.isEmpty() ? "" : bag.substring(1));
    }

    /** Whether a device may ask or answer the service on that topic. */
    static boolean isRequest(String topic) {
        int question = topic.indexOf('?');
        String path = question < 0 ? topic : topic.substring(0, question);
        return SERVICE.contains(path) || path.startsWith(METHOD_ANSWER);
    }

    /** Whether the device may subscribe to that filter. */
    static boolean isFilter(String filter, String device) {
        boolean isMethod = filter.startsWith(METHODS) && filter.endsWith("/#") || filter.equals(METHODS + "#");
        return FILTERS.contains(filter) || isMethod || isDeviceBound(filter, device);
    }

    private static boolean isDeviceBound(String filter, String device) {
        return ofDevice(filter, device).filter((DEVICE_BOUND + "#")::equals).isPresent();
    }

    /** Whether a topic carries a message from the cloud to a device. */
    static boolean isDeviceBound(String topic) {
        return topic.startsWith(DEVICES) && topic.contains("/" + DEVICE_BOUND);
    }

    private static Optional<String> ofDevice(String topic, String device) {
        if (!topic.startsWith(DEVICES)) {
            return Optional.empty();
        }
        int end = topic.indexOf('/', DEVICES.length());
        if (end < 0) {
            return Optional.empty();
        }
        String name = topic.substring(DEVICES.length(), end);
        return name.equals(device) || decoded(name).filter(device::equals).isPresent()
            ? Optional.of(topic.substring(end + 1)) : Optional.empty();
    }

    /** A text without its percent signs, or nothing where they are malformed; a plus sign is itself. */
    static Optional<String> decoded(String text) {
        try {
            return Optional.of(URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8));
        } catch (IllegalArgumentException error) {
            return Optional.empty();
        }
    }
}
