package fraudstream.query.values;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Fields in order. Names keep their spelling and are found ignoring case. A record that was handed on is not changed.
 */
public final class Record {
    private static final int CAPACITY = 8;

    private Names names = Names.NONE;
    private Object[] values;
    private int size;
    private Record metadata;
    /** What comes behind the names that are shared. */
    private String[] others;
    private Map<String, Integer> places;

    public Record() {
        this(CAPACITY);
    }

    public Record(int capacity) {
        values = new Object[capacity];
    }

    /** A record of one field after the other: name, value, name, value. */
    public static Record of(Object... fields) {
        Record made = new Record(fields.length / 2);
        for (int at = 0; at < fields.length; at += 2) {
            made.put((String) fields[at], fields[at + 1]);
        }
        return made;
    }

    public int size() {
        return size;
    }

    public String name(int place) {
        return place < names.size() ? names.name(place) : others[place - names.size()];
    }

    public Object value(int place) {
        return values[place];
    }

    /** The same for records that have the same fields in the same order; null where that is not known. */
    public Object shape() {
        return places == null ? names : null;
    }

    /** The place of the field, or -1. */
    public int find(String name) {
        int place = names.find(name);
        return place >= 0 || places == null ? place : places.getOrDefault(folded(name), -1);
    }

    private static String folded(String name) {
        // As equalsIgnoreCase compares: some letters differ in one of the two cases alone.
        return name.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT);
    }

    /** The field's value; null where there is no such field, too. */
    public Object get(String name) {
        int place = find(name);
        return place < 0 ? null : values[place];
    }

    /** Sets the field where there is one of this name ignoring case, and adds it otherwise. */
    public void put(String name, Object value) {
        Names known = places == null ? names.known(name) : null;
        int place = known != null ? -1 : places == null ? names.search(name) : find(name);
        if (place >= 0) {
            values[place] = value;
            return;
        }
        if (known != null) {
            names = known;
        } else if (places == null && !names.isFull()) {
            names = names.with(name);
        } else {
            addOther(name);
        }
        if (size == values.length) {
            values = Arrays.copyOf(values, Math.max(CAPACITY, 2 * size));
        }
        values[size++] = value;
    }

    private void addOther(String name) {
        if (places == null) {
            places = new HashMap<>();
            others = new String[names.size()];
        }
        places.put(folded(name), size);
        int place = size - names.size();
        if (place == others.length) {
            others = Arrays.copyOf(others, 2 * place);
        }
        others[place] = name;
    }

    /** Adds a field, as {@link #put}, that the record is not expected to have yet. */
    public void add(String name, Object value) {
        put(name, value);
    }

    /** What GetMetadataPropertyValue reads, such as {@code {"EventHub": {…}, "EventId": "…"}}, or null. */
    public Record metadata() {
        return metadata;
    }

    public void setMetadata(Record metadata) {
        this.metadata = metadata;
    }

    /** The record as JSON. */
    @Override
    public String toString() {
        return Json.text(this);
    }
}
