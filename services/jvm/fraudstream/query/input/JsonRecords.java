package fraudstream.query.input;

import fraudstream.query.values.BadEvent;
import fraudstream.query.values.Json;
import fraudstream.query.values.Record;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The objects of a JSON file: lines, one array, or objects that follow each other with or without anything between.
 * One that is broken ends where another begins at the start of a line, and the rest of the file is read.
 */
public final class JsonRecords implements Records {
    private static final int BUFFER = 1 << 16;
    // An object that may be broken is looked at no further, if another one seems to begin in it.
    private static final int MOST_IN_DOUBT = 1 << 20;
    private static final int MOST = 1 << 26;

    private final InputStream file;
    private final long end;
    private byte[] buffer = new byte[BUFFER];
    private int limit;
    private int at;
    /** The file's bytes before the buffer. */
    private long before;
    private int from;
    private int until;
    private Record record;
    private String problem;
    /** Where another object seems to begin within the one that is read, or -1. */
    private int another;

    public JsonRecords(InputStream file) {
        this(file, 0, Long.MAX_VALUE);
    }

    private JsonRecords(InputStream file, long before, long end) {
        this.file = file;
        this.before = before;
        this.end = end;
    }

    /**
     * The records of a part of a file of lines: from the first line that begins with an object at or behind
     * {@code start} to the one at or behind {@code end}. {@code file} stands at {@code start - 1}, or at 0.
     */
    public static JsonRecords part(InputStream file, long start, long end) throws IOException {
        if (start == 0) {
            return new JsonRecords(file, 0, end);
        }
        JsonRecords records = new JsonRecords(file, start - 1, end);
        while (records.has(records.at + 1)) {
            if (records.buffer[records.at++] == '\n' && records.buffer[records.at] == '{') {
                return records;
            }
        }
        records.at = records.limit;
        return records;
    }

    @Override
    public boolean next() throws IOException {
        record = null;
        problem = null;
        forget();
        while (has(at) && isBetween(buffer[at])) {
            at++;
        }
        if (!has(at) || isOfTheNextPart()) {
            return false;
        }
        from = at;
        if (buffer[at] == '{') {
            readObject();
        } else {
            readToLineEnd("It is no JSON object.");
        }
        at = until;
        return true;
    }

    /** Frees the buffer of what lies behind, but for the byte that tells whether a line begins. */
    private void forget() {
        int done = at - 1;
        if (done > buffer.length / 2) {
            System.arraycopy(buffer, done, buffer, 0, limit - done);
            before += done;
            limit -= done;
            at = 1;
        }
    }

    private boolean isOfTheNextPart() {
        return before + at >= end && buffer[at] == '{' && (at == 0 || buffer[at - 1] == '\n');
    }

    @Override
    public Record record() throws BadEvent {
        if (problem != null) {
            throw new BadEvent(problem);
        }
        return record != null ? record : Json.readRecord(buffer, from, until - from);
    }

    @Override
    public long place() {
        return before + from;
    }

    @Override
    public String raw() {
        return new String(buffer, from, until - from, StandardCharsets.UTF_8).strip();
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    private static boolean isBetween(byte unit) {
        return unit == ' ' || unit == '\n' || unit == '\r' || unit == '\t' || unit == ',' || unit == '[' || unit == ']';
    }

    private void readObject() throws IOException {
        another = -1;
        int depth = 0;
        int place = from;
        while (has(place)) {
            byte unit = buffer[place];
            if (unit == '"') {
                int quote = textEnd(place);
                if (quote < 0) {
                    break;
                }
                place = quote;
            } else if (unit == '{' || unit == '[') {
                depth++;
                another = another < 0 && place > from && unit == '{' && buffer[place - 1] == '\n' ? place : another;
            } else if ((unit == '}' || unit == ']') && --depth == 0) {
                until = place + 1;
                settle();
                return;
            }
            place++;
            if (another >= 0 && place - from > MOST_IN_DOUBT || place - from > MOST) {
                break;
            }
        }
        if (another >= 0) {
            until = another;
            problem = "It is no whole JSON object.";
        } else {
            readToLineEnd("It is no whole JSON object.");
        }
    }

    /** The place of the quote that ends the text which begins at {@code place}, or -1 if the line ends before. */
    private int textEnd(int place) throws IOException {
        int next = place + 1;
        while (has(next)) {
            byte unit = buffer[next];
            if (unit == '"') {
                return next;
            }
            if (unit == '\n') {
                return -1;
            }
            next += unit == '\\' ? 2 : 1;
        }
        return -1;
    }

    /** An object in which another one seemed to begin may be whole, after all. */
    private void settle() {
        if (another < 0) {
            return;
        }
        try {
            record = Json.readRecord(buffer, from, until - from);
        } catch (BadEvent broken) {
            until = another;
            problem = "It is no whole JSON object.";
        }
    }

    private void readToLineEnd(String why) throws IOException {
        int place = from + 1;
        while (has(place) && buffer[place] != '\n') {
            place++;
        }
        until = Math.min(place, limit);
        problem = why;
    }

    /** Whether the file has a byte at that place of the buffer. */
    private boolean has(int place) throws IOException {
        while (place >= limit) {
            if (limit == buffer.length) {
                buffer = Arrays.copyOf(buffer, 2 * buffer.length);
            }
            int count = file.read(buffer, limit, buffer.length - limit);
            if (count <= 0) {
                return false;
            }
            limit += count;
        }
        return true;
    }
}
