package fraudstream.query.operators;

import fraudstream.query.expressions.Expression;
import fraudstream.query.expressions.Scope;
import fraudstream.query.values.Record;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** The rows of a reference input, by the time from which they hold. */
public final class References {
    private final TreeMap<Long, Version> versions = new TreeMap<>();
    private final References source;
    private final Scope scope = new Scope(1);
    private final Stage first;
    private List<Record> selected;

    /** Of an input: rows are added. */
    public References() {
        source = null;
        first = null;
    }

    /** The rows of another one for which a condition holds, or all if it is null, with the columns of a projection. */
    public References(References source, Expression where, Projection projection) {
        this.source = source;
        first = Stage.where(where, row -> selected.add(projection.of(row)));
    }

    /** Rows that hold from one time to the next version's. */
    static final class Version {
        final List<Record> rows;
        /** The names of all fields, in the order in which they first occur. */
        final List<String> names;
        /** What each join has sorted the rows into. */
        final Map<Object, Object> indexes = new HashMap<>();

        Version(List<Record> rows) {
            this.rows = List.copyOf(rows);
            Map<String, String> spelling = new LinkedHashMap<>();
            for (Record row : rows) {
                for (int place = 0; place < row.size(); place++) {
                    spelling.putIfAbsent(row.name(place).toLowerCase(Locale.ROOT), row.name(place));
                }
            }
            names = new ArrayList<>(spelling.values());
        }
    }

    public void add(long effective, List<Record> rows) {
        versions.put(effective, new Version(rows));
    }

    /** The version of a time; before the first one, the first. */
    Version at(long time) {
        if (source != null) {
            Version whole = source.at(time);
            return (Version) whole.indexes.computeIfAbsent(this, one -> select(whole.rows));
        }
        Map.Entry<Long, Version> found = versions.floorEntry(time);
        if (found == null) {
            found = versions.firstEntry();
        }
        return found == null ? new Version(List.of()) : found.getValue();
    }

    private Version select(List<Record> rows) {
        selected = new ArrayList<>();
        for (Record row : rows) {
            scope.rows[0] = row;
            first.take(scope);
        }
        return new Version(selected);
    }

    /** The names of all fields of the version of a time. */
    public List<String> names(long time) {
        return at(time).names;
    }

    /** Lets go of versions that no row of this time or a later one meets. */
    public void forget(long time) {
        Long current = versions.size() < 2 ? null : versions.floorKey(time);
        if (current != null) {
            versions.headMap(current).clear();
        }
    }
}
