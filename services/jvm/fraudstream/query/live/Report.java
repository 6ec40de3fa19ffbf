package fraudstream.query.live;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a task has to tell: of what it read, and of what it put out. */
final class Report implements Serializable {
    static final String UNREADABLE = "InputDeserializationError";
    static final String WITHOUT_TIME = "InvalidInputTimeStamp";
    static final String WITHOUT_KEY = "InvalidInputTimeStampKey";
    static final String EARLY = "EarlyInputEvent";
    static final String LATE = "LateInputEvent";
    static final String OUT_OF_ORDER = "OutOfOrderEvent";
    static final String ASIDE = "query";
    private static final long serialVersionUID = 1L;
    // Of each task; the others are counted.
    private static final int MOST_TOLD = 5;
    private static final int MOST_CHARACTERS = 1000;

    /** The clock of the batch in ticks, or {@code Long.MIN_VALUE}. */
    long tick = Long.MIN_VALUE;
    /** How far the lanes have come whose records the task read. */
    final Map<Lane, Lane.Clock> lanes = new TreeMap<>();
    /** Records read, records whose time was changed, and records dropped by the kind of error; by input. */
    final Map<Integer, Long> read = new TreeMap<>();
    final Map<Integer, Long> adjusted = new TreeMap<>();
    final Map<Integer, Map<String, Long>> dropped = new TreeMap<>();
    final List<Told> told = new ArrayList<>();
    /** Rows by output, and the files that they are in. */
    final Map<Integer, Long> rows = new TreeMap<>();
    final List<String> files = new ArrayList<>();
    /** Of each lane the offset of the first record that waits for the watermark. */
    final Map<Lane, Long> held = new TreeMap<>();
    long setAside;
    /** What ended the query, or null. */
    Stop stop;
    /** What the part of the state is kept in, or null. */
    Version.Part part;

    /** A record that was dropped, or on which an expression failed. */
    record Told(String input, String topic, int partition, long offset, String kind, String message, String raw)
        implements Serializable {
    }

    /** The error that ended a query, and the record at which it did. */
    record Stop(String message, int line, int column, long ticks, String record) implements Serializable {
    }

    void addDropped(LiveJob.Input input, RowKey.Place place, String kind, String message, String raw) {
        dropped.computeIfAbsent(input.number, key -> new TreeMap<>()).merge(kind, 1L, Long::sum);
        tell(new Told(input.name, input.topic, place.partition(), place.offset(), kind, message, cut(raw)));
    }

    /** Counts a row that was set aside, and tells of the message that it came from; null where that is not known. */
    void addAside(Gate.Message message, String reason, String row) {
        setAside++;
        tell(message == null ? new Told("", "", -1, -1, ASIDE, reason, cut(row))
            : new Told("", message.topic(), message.partition(), message.offset(), ASIDE, reason, cut(row)));
    }

    private void tell(Told one) {
        if (told.size() < MOST_TOLD) {
            told.add(one);
        }
    }

    static String cut(String text) {
        return text == null || text.length() <= MOST_CHARACTERS ? text : text.substring(0, MOST_CHARACTERS) + "…";
    }

    /** The part of it that each part of the state needs. */
    Report ofLanes() {
        Report some = new Report();
        some.tick = tick;
        lanes.forEach((lane, clock) -> some.lanes.put(lane, clock.withoutKeys()));
        return some;
    }

    byte[] toBytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(this);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return bytes.toByteArray();
    }

    static Report of(byte[] bytes) {
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes)) {
            @Override
            protected Class<?> resolveClass(java.io.ObjectStreamClass described) throws ClassNotFoundException {
                return Class.forName(described.getName(), false, Report.class.getClassLoader());
            }
        }) {
            return (Report) in.readObject();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        } catch (ClassNotFoundException error) {
            throw new IllegalStateException(error);
        }
    }
}
