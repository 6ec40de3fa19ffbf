package fraudstream.devices;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * The way to the process that started this one: one JSON object a line, over stdin and stdout.
 *
 * <p>A line with {@code ask} wants a line with {@code answer} and the same {@code number}; one with {@code tell} wants
 * none. The broker asks whether a device may connect and what a twin answers; the process that started it asks for
 * messages to be delivered. The end of stdin is the end of that process, and of this one.
 */
final class Link {
    static final ObjectMapper JSON = new ObjectMapper();

    private final BufferedReader lines;
    private final OutputStream out;
    private final AtomicLong numbers = new AtomicLong();
    private final Map<Long, CompletableFuture<JsonNode>> pending = new ConcurrentHashMap<>();

    Link(InputStream in, OutputStream out) {
        this.lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        this.out = out;
    }

    /** The next line, or null at the end of the process that started this one. */
    JsonNode next() throws IOException {
        String line = lines.readLine();
        return line == null ? null : JSON.readTree(line);
    }

    /** Takes lines until the end: answers go to who asked, everything else to {@code requests}. */
    void serve(Consumer<JsonNode> requests) throws IOException {
        for (JsonNode line = next(); line != null; line = next()) {
            if (line.has("answer")) {
                CompletableFuture<JsonNode> waiting = pending.remove(line.path("number").asLong());
                if (waiting != null) {
                    waiting.complete(line.get("answer"));
                }
            } else {
                requests.accept(line);
            }
        }
    }

    /** Asks, and completes with the answer. */
    CompletableFuture<JsonNode> ask(String what, ObjectNode values) {
        long number = numbers.incrementAndGet();
        CompletableFuture<JsonNode> answer = new CompletableFuture<>();
        pending.put(number, answer);
        write(values.put("ask", what).put("number", number));
        return answer;
    }

    /** Answers the request of that line. */
    void answer(JsonNode request, JsonNode answer) {
        ObjectNode line = JSON.createObjectNode().put("number", request.path("number").asLong());
        line.set("answer", answer);
        write(line);
    }

    /** Says something that wants no answer. */
    void tell(String what, ObjectNode values) {
        write(values.put("tell", what));
    }

    /** A line for the log. */
    void log(String level, String event, Map<String, ?> values) {
        ObjectNode line = JSON.createObjectNode().put("level", level).put("event", event);
        line.set("values", JSON.valueToTree(values));
        tell("log", line);
    }

    private synchronized void write(ObjectNode line) {
        try {
            out.write(JSON.writeValueAsBytes(line));
            out.write('\n');
            out.flush();
        } catch (JsonProcessingException error) {
            throw new IllegalStateException(error);
        } catch (IOException error) {
            Runtime.getRuntime().halt(1); // nobody is there any more who could restart us in order
        }
    }
}
