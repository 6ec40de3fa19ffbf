package fraudstream.query.operators;

import fraudstream.query.expressions.Expression;
import fraudstream.query.expressions.Scope;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import fraudstream.query.values.Values;
import java.util.List;

/** CROSS and OUTER APPLY: a row for each element of an array, or for each field of a record. */
public final class Apply implements Stage {
    private static final String VALUE = "ArrayValue";
    private static final int MOST_ROWS = 1_000_000;

    private final Expression argument;
    private final boolean elements;
    private final boolean outer;
    private final int place;
    private final int line;
    private final int column;
    private final Stage next;

    public Apply(Expression argument, boolean elements, boolean outer, int place, int line, int column, Stage next) {
        this.argument = argument;
        this.elements = elements;
        this.outer = outer;
        this.place = place;
        this.line = line;
        this.column = column;
        this.next = next;
    }

    @Override
    public void take(Scope scope) {
        Object value = argument.value(scope);
        int count = 0;
        if (elements && value instanceof List<?> array) {
            count = array.size();
            for (int at = 0; at < count; at++) {
                hand(scope, "ArrayIndex", (long) at, VALUE, array.get(at));
            }
        } else if (!elements && value instanceof Record record) {
            count = record.size();
            for (int at = 0; at < count; at++) {
                hand(scope, "PropertyName", record.name(at), "PropertyValue", record.value(at));
            }
        } else if (value != null) {
            String function = elements ? "GetArrayElements takes an array" : "GetRecordProperties takes a record";
            String type = elements ? "array" : "record";
            throw new QueryStopped(
                function + ", not " + Values.type(value) + ". Write TRY_CAST(… AS " + type + ").", line, column, null
            );
        }
        if (count == 0 && outer) {
            hand(scope, elements ? "ArrayIndex" : "PropertyName", null, elements ? VALUE : "PropertyValue", null);
        }
    }

    private void hand(Scope scope, String first, Object name, String second, Object value) {
        if (++scope.applied > MOST_ROWS) {
            throw new QueryStopped("One row gives more than " + MOST_ROWS + " rows by APPLY.", line, column, null);
        }
        Record row = new Record(2);
        row.add(first, name);
        row.add(second, value);
        scope.rows[place] = row;
        scope.times[place] = scope.time;
        next.take(scope);
    }
}
