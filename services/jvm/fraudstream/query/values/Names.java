package fraudstream.query.values;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The names of a record's fields in order, shared by records that got the same names in the same order. May be used by
 * several threads.
 */
final class Names {
    static final Names NONE = new Names(new String[0]);

    private static final int NOWHERE = -1;
    // Beyond these, one would keep much for records that are dictionaries.
    private static final int MOST_SHARED = 128;
    private static final int MOST_NEXT = 16;
    private static final int FEW = 6;
    // When so many were made, all are forgotten: events may have their names in ever new orders.
    private static final int MOST_MADE = 20_000;
    private static final AtomicInteger MADE = new AtomicInteger();
    private static volatile boolean areEverNew;

    /** Those that have one name more. */
    private Names[] next = {};
    private final String[] names;
    /** Where each name that was asked for is. */
    private final Map<String, Integer> places;

    private Names(String[] names) {
        this.names = names;
        places = names.length > FEW ? new ConcurrentHashMap<>(2 * names.length) : null;
    }

    /** Whether this process has seen events whose names are new again and again. */
    static boolean areEverNew() {
        return areEverNew;
    }

    int size() {
        return names.length;
    }

    String name(int place) {
        return names[place];
    }

    /** Whether there are too many to share them. */
    boolean isFull() {
        return names.length >= MOST_SHARED;
    }

    /** The names with this one more; null if they were not asked for before. */
    Names known(String name) {
        for (Names candidate : next) {
            String last = candidate.names[names.length];
            if (last == name || last.equals(name)) {
                return candidate;
            }
        }
        return null;
    }

    /** The names with this one more, which must not be among them. */
    Names with(String name) {
        String[] more = Arrays.copyOf(names, names.length + 1);
        more[names.length] = name;
        Names made = new Names(more);
        if (MADE.incrementAndGet() > MOST_MADE) {
            MADE.set(0);
            areEverNew = true;
            NONE.next = new Names[0];
        }
        Names[] kept = next;
        // Another thread may add one at the same time, and one of both is lost: it is made again when it is needed.
        Names[] added = Arrays.copyOf(kept, Math.min(kept.length + 1, MOST_NEXT));
        added[kept.length < MOST_NEXT ? kept.length : (name.hashCode() & MOST_NEXT - 1)] = made;
        next = added;
        return made;
    }

    /** The place of the name ignoring case, or -1. */
    int find(String name) {
        if (places == null) {
            return search(name);
        }
        Integer known = places.get(name);
        if (known != null) {
            return known;
        }
        int place = search(name);
        if (places.size() < 4 * names.length) {
            places.put(name, place);
        }
        return place;
    }

    /** As {@link #find}, without keeping the answer. */
    int search(String name) {
        for (int place = 0; place < names.length; place++) {
            if (names[place] == name) {
                return place;
            }
        }
        for (int place = 0; place < names.length; place++) {
            if (names[place].equalsIgnoreCase(name)) {
                return place;
            }
        }
        return NOWHERE;
    }
}
