package fraudstream.query.operators;

import fraudstream.query.expressions.Expression;
import fraudstream.query.expressions.Scope;
import fraudstream.query.values.Record;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The columns of a step's rows. Of columns with one name, the left one stays. */
public final class Projection {
    private final Item[] items;
    private final boolean plain;
    private final boolean whole;

    /** Adds columns to a row. */
    public interface Item {
        void add(Scope scope, Record to);
    }

    /** One column. */
    public record Column(String name, Expression expression) implements Item {
        @Override
        public void add(Scope scope, Record to) {
            if (to.find(name) < 0) {
                to.add(name, expression.value(scope));
            }
        }
    }

    /** All fields of a record that an expression gives; none where it gives something else. */
    public record Spread(Expression expression) implements Item {
        @Override
        public void add(Scope scope, Record to) {
            if (expression.value(scope) instanceof Record record) {
                addAll(record, to);
            }
        }
    }

    /** All columns of sources. */
    public record Star(List<Source> sources) implements Item {
        @Override
        public void add(Scope scope, Record to) {
            for (Source source : sources) {
                source.add(scope, to);
            }
        }
    }

    /**
     * A source of a star: its place, the name of the one column that it is, or null for all its fields, and the columns
     * that it has where it is missing.
     */
    public record Source(int place, String name, Columns missing) implements Item {
        @Override
        public void add(Scope scope, Record to) {
            Record record = scope.rows[place];
            if (name != null) {
                if (to.find(name) < 0) {
                    to.add(name, record);
                }
            } else if (record != null) {
                addAll(record, to);
            } else {
                for (String column : missing.names(scope)) {
                    if (to.find(column) < 0) {
                        to.add(column, null);
                    }
                }
            }
        }
    }

    /** The columns of a source as far as they are known without a row of it. */
    public interface Columns {
        Columns UNKNOWN = scope -> List.of();

        List<String> names(Scope scope);
    }

    public Projection(List<Item> items) {
        this.items = items.toArray(Item[]::new);
        Set<String> names = new HashSet<>();
        plain = items.stream().allMatch(
            item -> item instanceof Column column && names.add(column.name.toLowerCase(Locale.ROOT))
        );
        whole = items.size() == 1 && items.get(0) instanceof Star star && star.sources.size() == 1
            && star.sources.get(0).name == null && star.sources.get(0).place == 0;
    }

    /** The row of what stands in the scope. */
    public Record of(Scope scope) {
        if (whole) {
            return scope.rows[0];
        }
        Record record = new Record(items.length);
        for (Item item : items) {
            if (plain) {
                Column column = (Column) item;
                record.add(column.name, column.expression.value(scope));
            } else {
                item.add(scope, record);
            }
        }
        return record;
    }

    private static void addAll(Record record, Record to) {
        boolean first = to.size() == 0;
        for (int place = 0; place < record.size(); place++) {
            if (first || to.find(record.name(place)) < 0) {
                to.add(record.name(place), record.value(place));
            }
        }
    }
}
