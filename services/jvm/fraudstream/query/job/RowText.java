package fraudstream.query.job;

import fraudstream.query.values.Datetime;
import fraudstream.query.values.Json;
import fraudstream.query.values.Record;
import fraudstream.query.values.Values;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;

/**
 * Rows of outputs as JSON. What is an event's own stands there as its sender wrote it: no digit of money and no unknown
 * field is lost. A scored row has its decision at the end, in the order in which the readers of {@code scored} expect it.
 */
public final class RowText {
    private static final String TIME = "event_time";
    private static final String CLOCK = "scored_at";
    private static final String SOURCE = "source";
    private static final List<String> DECISION =
        List.of(TIME, "prediction", "score", "threshold", "model_version", CLOCK, "reasons", SOURCE);
    private static final Set<String> OF_REJECTED = Set.of(
        "reason", "field", "raw_base64", "raw_bytes", "raw_sha256", "key", "key_base64", "key_bytes", SOURCE,
        "rejected_at");
    private static final int CAPACITY = 512;

    private final EventRecord event;
    private final ByteArrayOutputStream bytes;
    private final StringBuilder text = new StringBuilder(CAPACITY);
    private boolean isFirst = true;

    private RowText(EventRecord event) {
        this.event = event;
        bytes = new ByteArrayOutputStream(event.text.length + CAPACITY);
    }

    /** A row with its columns alone. */
    public static byte[] plain(Record row, EventRecord event) {
        RowText written = new RowText(event);
        written.text.append('{');
        for (int column = 0; column < row.size(); column++) {
            written.add(row, column);
        }
        return written.ended();
    }

    /**
     * A row of a decided event, with the unknown fields of the event; {@code source} is JSON, {@code clock} is that of
     * the job as text.
     */
    public static byte[] scored(Record row, EventRecord event, String source, String clock) {
        RowText written = new RowText(event);
        written.text.append('{');
        for (int column = 0; column < row.size(); column++) {
            if (!DECISION.contains(row.name(column))) {
                written.addUnlessMissing(row, column);
            }
        }
        written.addUnknown(row);
        for (String name : DECISION) {
            int column = row.find(name);
            if (name.equals(SOURCE)) {
                written.name(name).append(source);
            } else if (name.equals(CLOCK)) {
                written.name(name).append('"').append(clock).append('"');
            } else if (column >= 0 && row.name(column).equals(name)) {
                written.addDecision(name, row.value(column));
            }
        }
        return written.ended();
    }

    /** The columns of a rejected row that the job does not write itself, each behind a comma, as members of JSON. */
    public static String further(Record row) {
        StringBuilder text = new StringBuilder();
        for (int column = 0; column < row.size(); column++) {
            if (!OF_REJECTED.contains(row.name(column))) {
                text.append(',');
                Json.write(text, row.name(column));
                Json.write(text.append(':'), row.value(column));
            }
        }
        return text.toString();
    }

    private void addDecision(String name, Object value) {
        name(name);
        if (value instanceof Datetime) {
            text.append('"').append(((Datetime) value).toMicroseconds()).append('"');
        } else {
            Json.write(text, value);
        }
    }

    private StringBuilder name(String name) {
        if (!isFirst) {
            text.append(',');
        }
        isFirst = false;
        Json.write(text, name);
        return text.append(':');
    }

    /** A column that is NULL because the event has no such field would be a field that it does not have. */
    private void addUnlessMissing(Record row, int column) {
        if (row.value(column) != null || event.isGivenOrUnknown(row.name(column))) {
            add(row, column);
        }
    }

    private void add(Record row, int column) {
        String name = row.name(column);
        Object value = row.value(column);
        name(name);
        int field = event.find(name);
        if (field >= 0 && isSame(value, event.value(field))) {
            addRaw(event.begin(field), event.end(field));
        } else {
            Json.write(text, value);
        }
    }

    private static boolean isSame(Object value, Object original) {
        boolean areTruths = value instanceof Boolean == original instanceof Boolean;
        return value == original || areTruths && Values.isSame(value, original);
    }

    private void addUnknown(Record row) {
        for (int field = 0; field < event.size(); field++) {
            if (!event.isKnown(field) && !isColumn(event.name(field), row)) {
                name(event.name(field));
                addRaw(event.begin(field), event.end(field));
            }
        }
    }

    /** Whether a column stands for an unknown field: by its name in any case, unless that is a known field's. */
    private static boolean isColumn(String name, Record row) {
        int column = row.find(name);
        return column >= 0 && (row.name(column).equals(name) || !Fields.CURRENT.isShadowed(name));
    }

    private void addRaw(int begin, int end) {
        flush();
        bytes.write(event.text, begin, end - begin);
    }

    private void flush() {
        byte[] encoded = text.toString().getBytes(StandardCharsets.UTF_8);
        bytes.write(encoded, 0, encoded.length);
        text.setLength(0);
    }

    private byte[] ended() {
        text.append('}');
        flush();
        return bytes.toByteArray();
    }
}
