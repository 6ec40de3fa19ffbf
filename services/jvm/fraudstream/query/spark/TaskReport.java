package fraudstream.query.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a task has to tell beside its rows. */
final class TaskReport implements Serializable {
    static final String UNREADABLE = "InputDeserializationError";
    static final String WITHOUT_TIME = "InvalidInputTimeStamp";
    static final String WITHOUT_KEY = "InvalidInputTimeStampKey";
    private static final long serialVersionUID = 1L;
    // Of each task; the others are counted.
    private static final int MOST_TOLD = 20;

    /** The number of records by the input's number. */
    final Map<Integer, Long> read = new TreeMap<>();
    /** The number of dropped records by the input's number and the kind of error. */
    final Map<Integer, Map<String, Long>> dropped = new TreeMap<>();
    final List<Told> told = new ArrayList<>();
    /** The files of sorted rows by the output's number. */
    final Map<Integer, List<String>> files = new TreeMap<>();
    /** What ended the query, or null. */
    Stop stop;

    void addRead(int input) {
        read.merge(input, 1L, Long::sum);
    }

    void addDropped(Part part, long place, String kind, String message, String raw) {
        dropped.computeIfAbsent(part.input, key -> new TreeMap<>()).merge(kind, 1L, Long::sum);
        if (told.size() < MOST_TOLD) {
            told.add(new Told(part, place, kind, message, raw));
        }
    }

    /** A dropped record. */
    record Told(Part part, long place, String kind, String message, String raw) implements Serializable {
    }

    /** The error that ended a query, and the record at which it did. */
    record Stop(String message, int line, int column, long ticks, String record) implements Serializable {
    }
}
