package fraudstream.query.python;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import fraudstream.query.values.QueryStopped;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A process that runs functions in Python, with the rights of who started it. It answers one request after another: one
 * thread at a time may ask, and another one may end it meanwhile.
 */
final class PythonProcess {
    // Far more than a topic takes as a record.
    private static final int MOST_ANSWER_BYTES = 1 << 26;
    private static final long END_SECONDS = 2;
    /** Deadlines that are no times. */
    private static final long NONE = Long.MIN_VALUE;
    private static final long PASSED = Long.MIN_VALUE + 1;

    private final Process process;
    private final OutputStream requests;
    private final InputStream answers;
    /** Until when the request under way has to be answered, by the clock of {@code System.nanoTime}. */
    private final AtomicLong deadline = new AtomicLong(NONE);

    /** The process has ended, or was ended, before it answered. */
    static final class Ended extends Exception {
        private static final long serialVersionUID = 1L;
        /** Whether the time was over. */
        final boolean isLate;

        Ended(String message, boolean isLate) {
            super(message);
            this.isLate = isLate;
        }
    }

    /**
     * Starts it: {@code command}, {@code environment}, the file of its {@code log}, which is this process's stderr where
     * it is missing, and what the {@code worker} is told first.
     */
    PythonProcess(JsonNode described) throws IOException {
        List<String> command = new ArrayList<>();
        described.get("command").forEach(word -> command.add(word.asText()));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().clear();
        described.get("environment").properties()
            .forEach(entry -> builder.environment().put(entry.getKey(), entry.getValue().asText()));
        builder.redirectError(described.hasNonNull("log")
            ? ProcessBuilder.Redirect.appendTo(new File(described.get("log").asText()))
            : ProcessBuilder.Redirect.INHERIT);
        process = builder.start();
        requests = process.getOutputStream();
        answers = process.getInputStream();
        try {
            requests.write((described.get("worker") + "\n").getBytes(StandardCharsets.UTF_8));
            requests.flush();
        } catch (IOException gone) {
            // Who asks first is told.
            return;
        }
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /**
     * The results of calls of one function; {@code arguments} are JSON, one array for each. {@code seconds} is the time
     * for all of them, 0 for any. Throws {@link QueryStopped} where the function fails, {@link Ended} where the process
     * is of no use any more.
     */
    List<Object> results(String name, List<String> arguments, long seconds) throws Ended {
        String head = PythonValues.MAPPER.createObjectNode().put("function", name).toString();
        String rows = ",\"rows\":[" + String.join(",", arguments) + "]}\n";
        byte[] line = ask(head.substring(0, head.length() - 1) + rows, seconds);
        JsonNode answer;
        try {
            answer = PythonValues.MAPPER.readTree(line);
        } catch (IOException error) {
            throw new QueryStopped("udf." + name + " returns what cannot be read: " + firstLine(error.getMessage()));
        }
        if (answer.has("error")) {
            throw new QueryStopped("udf." + name + " stopped: " + answer.get("error").asText());
        }
        List<Object> results = new ArrayList<>(arguments.size());
        try {
            answer.get("results").forEach(result -> results.add(PythonValues.fromPython(result)));
        } catch (NumberFormatException error) {
            // A record that looks like one of our own objects.
            throw new QueryStopped("udf." + name + " returns what cannot be read: " + error.getMessage());
        }
        return results;
    }

    /** Has functions read in before they are called; why one cannot be, with its name, or null. */
    String load(Iterable<String> names, long seconds) throws Ended {
        for (String name : names) {
            ObjectNode request = PythonValues.MAPPER.createObjectNode().put("function", name);
            request.putArray("rows");
            try {
                JsonNode answer = PythonValues.MAPPER.readTree(ask(request + "\n", seconds));
                if (answer.has("error")) {
                    return "udf." + name + " cannot be loaded: " + answer.get("error").asText();
                }
            } catch (IOException error) {
                return "udf." + name + " cannot be loaded: " + firstLine(error.getMessage());
            }
        }
        return null;
    }

    private static String firstLine(String text) {
        return text == null ? "" : text.lines().findFirst().orElse("");
    }

    private byte[] ask(String request, long seconds) throws Ended {
        deadline.set(seconds == 0 ? NONE : System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds));
        byte[] line = null;
        String how = "its output is closed";
        try {
            requests.write(request.getBytes(StandardCharsets.UTF_8));
            requests.flush();
            line = readLine();
        } catch (IOException error) {
            how = error.getMessage();
        }
        if (deadline.getAndSet(NONE) == PASSED) {
            throw new Ended("it gave no answer within " + seconds + " seconds", true);
        }
        if (line == null) {
            throw new Ended(told(how), false);
        }
        return line;
    }

    private byte[] readLine() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = answers.read(); next != '\n'; next = answers.read()) {
            if (next < 0) {
                return null;
            }
            if (line.size() == MOST_ANSWER_BYTES) {
                end();
                throw new IOException("its answer has more than " + MOST_ANSWER_BYTES + " bytes");
            }
            line.write(next);
        }
        return line.toByteArray();
    }

    private String told(String how) {
        try {
            return process.waitFor(END_SECONDS, TimeUnit.SECONDS) ? how + ", exit status " + process.exitValue() : how;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return how;
        }
    }

    /** Ends it if the request under way should have been answered by now. */
    void endIfLate(long now) {
        long until = deadline.get();
        if (until != NONE && until != PASSED && now - until > 0 && deadline.compareAndSet(until, PASSED)) {
            end();
        }
    }

    /** Ends it, and what it has started: whoever waits for its answer goes on. */
    void end() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.toHandle().destroyForcibly();
    }
}
