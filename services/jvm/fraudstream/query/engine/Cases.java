package fraudstream.query.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import fraudstream.query.expressions.ProjectFunctions;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.input.Admission;
import fraudstream.query.values.BadEvent;
import fraudstream.query.values.Datetime;
import fraudstream.query.values.Json;
import fraudstream.query.values.Moments;
import fraudstream.query.values.PlanRefused;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Runs a file of cases, each a plan with the lines of its inputs, and prints for each one line of JSON: its outputs or
 * its error. Events without TIMESTAMP BY have their arrival's time if the case gives it, otherwise all that of its
 * {@code start}. Where a case gives arrivals, its policy for late events counts; otherwise events are only sorted.
 * Where it gives a {@code seed}, the watermark moves and the engine restarts at random, which changes no output.
 */
public final class Cases {
    private static final String START = "2026-01-01T00:00:00Z";
    private static final long LATE_SECONDS = 5;

    private record Event(String input, long ticks, long arrival, Record record) {
    }

    private record Row(long ticks, String text) {
    }

    private Cases() {
    }

    /** The file's path is the one argument. */
    public static void main(String[] arguments) throws IOException {
        JsonNode cases = new ObjectMapper().readTree(new File(arguments[0])).get("cases");
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (JsonNode one : cases) {
            out.println(Json.text(answer(one)));
        }
        out.flush();
    }

    private static Record answer(JsonNode one) {
        Record answer = new Record();
        answer.add("name", one.get("name").asText());
        try {
            answer.add("outputs", outputs(one));
        } catch (QueryStopped stopped) {
            answer.add("error", error(stopped.getMessage(), stopped.line, stopped.column));
        } catch (PlanRefused refused) {
            answer.add("error", error(refused.getMessage(), refused.line, refused.column));
        } catch (RuntimeException | BadEvent | StackOverflowError fault) {
            StackTraceElement[] stack = fault.getStackTrace();
            String place = stack.length == 0 ? "" : " at " + stack[0];
            answer.add("error", error("The engine failed: " + fault + place, 0, 0));
        }
        return answer;
    }

    private static Record error(String message, long line, long column) {
        Record error = new Record();
        error.add("message", message);
        error.add("line", line);
        error.add("column", column);
        return error;
    }

    private static Record outputs(JsonNode one) throws BadEvent {
        JsonNode plan = one.get("plan");
        UserFunctions functions = ProjectFunctions.of(one.path("functions").isObject() ? one.get("functions") : null);
        Map<String, List<Row>> rows = new LinkedHashMap<>();
        plan.get("outputs").forEach(output -> rows.put(output.get("name").asText(), new ArrayList<>()));
        Output output = (name, ticks, row) -> rows.get(name).add(new Row(ticks, Json.text(row)));
        List<Event> events = events(one, plan, functions);
        Engine engine = engine(one, plan, functions, output);
        Random cuts = one.has("seed") ? new Random(one.get("seed").asLong()) : null;
        for (int at = 0; at < events.size(); at++) {
            Event event = events.get(at);
            engine.push(event.input, event.ticks, event.record);
            if (cuts != null && at + 1 < events.size()) {
                long next = events.get(at + 1).ticks;
                if (next > event.ticks && cuts.nextBoolean()) {
                    engine.advance(event.ticks + (long) (cuts.nextDouble() * (next - event.ticks)));
                }
                engine = cuts.nextBoolean() ? restarted(engine, engine(one, plan, functions, output)) : engine;
            }
        }
        engine.finish();
        Record outputs = new Record();
        rows.forEach((name, some) -> outputs.add(name, inOrder(some)));
        return outputs;
    }

    private static List<Object> inOrder(List<Row> rows) {
        rows.sort(Comparator.comparingLong(Row::ticks).thenComparing(Row::text));
        List<Object> records = new ArrayList<>();
        for (Row row : rows) {
            try {
                records.add(Json.read(row.text));
            } catch (BadEvent impossible) {
                throw new IllegalStateException(impossible);
            }
        }
        return records;
    }

    private static Engine engine(JsonNode one, JsonNode plan, UserFunctions functions, Output output) throws BadEvent {
        Engine engine = new Engine(plan, functions, output);
        for (Map.Entry<String, JsonNode> reference : one.path("references").properties()) {
            Admission admission = Admission.of(plan, reference.getKey(), functions);
            addReference(engine, admission, reference.getKey(), reference.getValue());
        }
        return engine;
    }

    private static Engine restarted(Engine engine, Engine next) {
        ByteArrayOutputStream saved = new ByteArrayOutputStream();
        engine.save(new DataOutputStream(saved));
        next.load(new DataInputStream(new ByteArrayInputStream(saved.toByteArray())));
        return next;
    }

    /** A reference is its lines, or versions: their lines by the time from which they hold. */
    private static void addReference(
        Engine engine, Admission admission, String input, JsonNode described
    ) throws BadEvent {
        if (!described.isObject()) {
            engine.reference(input, Long.MIN_VALUE, records(described, admission));
            return;
        }
        for (Map.Entry<String, JsonNode> version : described.properties()) {
            engine.reference(input, ticks(version.getKey()), records(version.getValue(), admission));
        }
    }

    private static List<Record> records(JsonNode lines, Admission admission) throws BadEvent {
        List<Record> records = new ArrayList<>();
        for (String line : lines(lines)) {
            records.add(admission.checked(record(line), false));
        }
        return records;
    }

    private static List<Event> events(JsonNode one, JsonNode plan, UserFunctions functions) {
        List<Event> events = new ArrayList<>();
        for (String input : (Iterable<String>) one.path("inputs")::fieldNames) {
            Lateness lateness = one.path("arrivals").has(input)
                ? new Lateness(plan, input, functions, tolerance(one.path("policy"))) : null;
            addEvents(one, Admission.of(plan, input, functions), lateness, input, events);
        }
        events.sort(Comparator.comparingLong(Event::ticks).thenComparingLong(Event::arrival));
        return events;
    }

    private static void addEvents(
        JsonNode one, Admission admission, Lateness lateness, String input, List<Event> events
    ) {
        long start = ticks(one.path("start").asText(START));
        JsonNode arrivals = one.path("arrivals").path(input);
        int at = 0;
        for (String line : lines(one.get("inputs").get(input))) {
            long arrival = arrivals.has(at) ? ticks(arrivals.get(at).asText()) : start;
            at++;
            try {
                Record record = admission.checked(record(line), false);
                long ticks = admission.ticks(record, arrival);
                if (lateness != null) {
                    ticks = lateness.timeOf(record, ticks, arrival);
                }
                if (ticks != Lateness.DROPPED) {
                    events.add(new Event(input, ticks, arrival, record));
                }
            } catch (BadEvent dropped) {
                // A bad event is none, as in the service.
                continue;
            }
        }
    }

    private static Lateness.Tolerance tolerance(JsonNode policy) {
        return new Lateness.Tolerance(
            policy.path("late_seconds").asLong(LATE_SECONDS) * Datetime.TICKS_PER_SECOND,
            policy.path("out_of_order_seconds").asLong() * Datetime.TICKS_PER_SECOND,
            policy.path("action").asText().equalsIgnoreCase("Drop")
        );
    }

    private static Record record(String line) throws BadEvent {
        return Json.readRecord(line.getBytes(StandardCharsets.UTF_8));
    }

    private static List<String> lines(JsonNode described) {
        List<String> lines = new ArrayList<>();
        if (described.isArray()) {
            described.forEach(line -> lines.add(line.isTextual() ? line.asText() : line.toString()));
        } else {
            lines.addAll(described.asText().lines().toList());
        }
        lines.removeIf(String::isBlank);
        return lines;
    }

    private static long ticks(String text) {
        Datetime moment = Moments.read(text);
        if (moment == null) {
            throw new IllegalArgumentException(text + " is no ISO 8601 time.");
        }
        return moment.ticks;
    }
}
