package fraudstream.query.javascript;

import fraudstream.query.values.Datetime;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.NativeArray;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;
import org.mozilla.javascript.Undefined;

/**
 * Values as JavaScript sees them, and back. Numbers have 53 bits there, dates milliseconds. A round number comes back
 * as a bigint where it fits, any other as a float.
 */
final class Conversions {
    private static final int DEEPEST = 200;
    private static final int INDEX_DIGITS = 9;
    private static final int MOST_VALUES = 1_000_000;

    private final Context context;
    private final ScriptableObject scope;
    private int values;

    Conversions(Context context, ScriptableObject scope) {
        this.context = context;
        this.scope = scope;
    }

    Object[] toScript(Object[] values) {
        Object[] converted = new Object[values.length];
        for (int place = 0; place < values.length; place++) {
            converted[place] = toScript(values[place]);
        }
        return converted;
    }

    Object toScript(Object value) {
        if (value instanceof Long) {
            return (double) (Long) value;
        }
        if (value instanceof Datetime) {
            double millis = Math.floorDiv(((Datetime) value).ticks, Datetime.TICKS_PER_MILLISECOND);
            return context.newObject(scope, "Date", new Object[] {millis});
        }
        if (value instanceof Record) {
            return object((Record) value);
        }
        return value instanceof List ? context.newArray(scope, toScript(((List<?>) value).toArray())) : value;
    }

    private Scriptable object(Record record) {
        ScriptableObject object = (ScriptableObject) context.newObject(scope);
        for (int place = 0; place < record.size(); place++) {
            String name = record.name(place);
            Object value = toScript(record.value(place));
            if (isIndex(name)) {
                object.put(Integer.parseInt(name), object, value);
            } else {
                // Not by a setter: the name may be that of a property all objects have, such as __proto__.
                object.defineProperty(name, value, ScriptableObject.EMPTY);
            }
        }
        return object;
    }

    private static boolean isIndex(String name) {
        return name.length() <= INDEX_DIGITS && name.matches("0|[1-9][0-9]*");
    }

    Object fromScript(Object value) {
        return fromScript(value, 0);
    }

    private Object fromScript(Object value, int depth) {
        if (++values > MOST_VALUES) {
            // Objects that stand in one another several times have more values than anybody can wait for.
            throw new QueryStopped("What it returns has more than " + MOST_VALUES + " values.");
        }
        if (value == null || Undefined.isUndefined(value)) {
            return null;
        }
        if (value instanceof Number) {
            return number((Number) value);
        }
        if (value instanceof CharSequence) {
            return value.toString();
        }
        if (value instanceof Boolean) {
            return value;
        }
        if (depth > DEEPEST) {
            throw new QueryStopped("What it returns is nested too deeply.");
        }
        if (value instanceof NativeArray) {
            return array((NativeArray) value, depth);
        }
        String kind = value instanceof Scriptable ? ((Scriptable) value).getClassName() : "";
        switch (kind) {
            case "Date":
                return datetime((Scriptable) value);
            case "Object":
                return record((Scriptable) value, depth);
            default:
                throw new QueryStopped("It returns something that is no value of the query language: "
                    + (kind.isEmpty() ? value.getClass().getSimpleName() : kind) + ".");
        }
    }

    private static Object number(Number value) {
        if (value instanceof BigInteger) {
            if (((BigInteger) value).bitLength() < Long.SIZE) {
                return value.longValue();
            }
            throw new QueryStopped("It returns the integer " + value + ", which does not fit into a bigint.");
        }
        double number = value.doubleValue();
        boolean isWhole = number == Math.rint(number) && number >= -0x1p63 && number < 0x1p63;
        return isWhole ? (Object) (long) number : (Object) number;
    }

    private List<Object> array(NativeArray array, int depth) {
        List<Object> items = new ArrayList<>();
        for (int place = 0; place < array.getLength(); place++) {
            items.add(fromScript(property(array, place), depth + 1));
        }
        return items;
    }

    private Record record(Scriptable object, int depth) {
        Record record = new Record();
        for (Object id : object.getIds()) {
            // Scripts tell names apart by their case; where two differ in that alone, the last one stays.
            record.put(id.toString().intern(), fromScript(property(object, id), depth + 1));
        }
        return record;
    }

    private static Object property(Scriptable object, Object id) {
        Object value = id instanceof Integer ? ScriptableObject.getProperty(object, (Integer) id)
            : ScriptableObject.getProperty(object, id.toString());
        return value == Scriptable.NOT_FOUND ? null : value;
    }

    private Datetime datetime(Scriptable date) {
        double millis = Context.toNumber(ScriptableObject.callMethod(context, date, "getTime", new Object[0]));
        double ticks = millis * Datetime.TICKS_PER_MILLISECOND;
        if (!(ticks >= Datetime.FIRST && ticks <= Datetime.LAST)) {
            throw new QueryStopped("It returns a Date that is no datetime.");
        }
        return new Datetime((long) millis * Datetime.TICKS_PER_MILLISECOND);
    }
}
