package fraudstream.query.values;

import java.util.Arrays;
import java.util.List;

/** Values that together make the key of a map. NULL is a key of its own; 1 and 1.0 are the same. */
public final class Key {
    public static final Key EMPTY = new Key();

    private final Object[] values;
    private final int hash;

    public Key(Object... values) {
        this.values = values;
        int mixed = 1;
        for (Object value : values) {
            mixed = 31 * mixed + Values.hash(value);
        }
        hash = mixed;
    }

    public int size() {
        return values.length;
    }

    public Object value(int place) {
        return values[place];
    }

    public List<Object> values() {
        return Arrays.asList(values);
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof Key) || ((Key) other).hash != hash || ((Key) other).values.length != values.length) {
            return false;
        }
        Object[] others = ((Key) other).values;
        for (int place = 0; place < values.length; place++) {
            if (!Values.isSame(values[place], others[place])) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
