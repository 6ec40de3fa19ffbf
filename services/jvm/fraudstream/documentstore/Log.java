package fraudstream.documentstore;

import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;

/** Log lines in the form of all our processes: one JSON object a line on stderr, with the time in UTC. */
final class Log {
    private Log() {
    }

    static void info(String event, Map<String, Object> values) {
        write("info", event, values);
    }

    static void error(String event, Map<String, Object> values) {
        write("error", event, values);
    }

    private static void write(String level, String event, Map<String, Object> values) {
        StringBuilder line = new StringBuilder("{");
        new TreeMap<>(values).forEach((name, value) -> add(line, name, value));
        add(line, "event", event);
        add(line, "level", level);
        add(line, "service", "documentstore");
        add(line, "time", Instant.now().toString());
        System.err.println(line.append('}'));
    }

    private static void add(StringBuilder line, String name, Object value) {
        line.append(line.length() > 1 ? ", " : "").append(quoted(name)).append(": ");
        line.append(value instanceof Number ? value.toString() : quoted(String.valueOf(value)));
    }

    /** A JSON string of printable ASCII characters only, so that it is plain text on every terminal. */
    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char letter = text.charAt(i);
            if (letter == '"' || letter == '\\') {
                quoted.append('\\').append(letter);
            } else if (letter < ' ' || letter > '~') {
                quoted.append(String.format("\\u%04x", (int) letter));
            } else {
                quoted.append(letter);
            }
        }
        return quoted.append('"').toString();
    }
}
