package fraudstream.documentstore;

import de.bwaldvogel.mongo.backend.KeyValue;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;
import org.h2.mvstore.type.ObjectDataType;

/** A document's {@code _id}, or the values of an index's key: numbers and texts directly, others by H2's means. */
final class Keys extends BasicDataType<Object> {
    // In the file each key begins with one of these.
    private static final byte OTHER = 0;
    private static final byte INTEGER = 1;
    private static final byte LONG = 2;
    private static final byte DOUBLE = 3;
    private static final byte TEXT = 4;
    private static final byte VALUES = 5;

    private static byte kind(Object key) {
        if (key instanceof Long) {
            return LONG;
        } else if (key instanceof Double) {
            return DOUBLE;
        } else if (key instanceof String) {
            return TEXT;
        } else if (key instanceof KeyValue) {
            return VALUES;
        }
        return key instanceof Integer ? INTEGER : OTHER;
    }

    @Override
    public int compare(Object a, Object b) {
        byte kind = kind(a);
        int other = kind - kind(b);
        if (other != 0) {
            return other;
        }
        return switch (kind) {
            case INTEGER -> ((Integer) a).compareTo((Integer) b);
            case LONG -> ((Long) a).compareTo((Long) b);
            case DOUBLE -> ((Double) a).compareTo((Double) b);
            case TEXT -> ((String) a).compareTo((String) b);
            case VALUES -> compareValues((KeyValue) a, (KeyValue) b);
            default -> Arrays.compareUnsigned(ObjectDataType.serialize(a), ObjectDataType.serialize(b));
        };
    }

    private int compareValues(KeyValue a, KeyValue b) {
        int sizes = a.size() - b.size();
        for (int i = 0; sizes == 0 && i < a.size(); i++) {
            int order = compare(a.get(i), b.get(i));
            if (order != 0) {
                return order;
            }
        }
        return sizes;
    }

    @Override
    public int getMemory(Object key) {
        return key instanceof String text ? 40 + 2 * text.length() : 64;
    }

    @Override
    public void write(WriteBuffer buffer, Object key) {
        byte kind = kind(key);
        buffer.put(kind);
        switch (kind) {
            case INTEGER -> buffer.putInt((Integer) key);
            case LONG -> buffer.putLong((Long) key);
            case DOUBLE -> buffer.putDouble((Double) key);
            case TEXT -> {
                String text = (String) key;
                buffer.putVarInt(text.length());
                buffer.putStringData(text, text.length());
            }
            case VALUES -> {
                KeyValue values = (KeyValue) key;
                buffer.putVarInt(values.size());
                for (int i = 0; i < values.size(); i++) {
                    write(buffer, values.get(i));
                }
            }
            default -> {
                byte[] bytes = ObjectDataType.serialize(key);
                buffer.putVarInt(bytes.length);
                buffer.put(bytes);
            }
        }
    }

    @Override
    public Object read(ByteBuffer buffer) {
        return switch (buffer.get()) {
            case INTEGER -> buffer.getInt();
            case LONG -> buffer.getLong();
            case DOUBLE -> buffer.getDouble();
            case TEXT -> DataUtils.readString(buffer, DataUtils.readVarInt(buffer));
            case VALUES -> {
                int size = DataUtils.readVarInt(buffer);
                List<Object> values = new ArrayList<>(size);
                for (int i = 0; i < size; i++) {
                    values.add(read(buffer));
                }
                yield new KeyValue(values);
            }
            default -> {
                byte[] bytes = new byte[DataUtils.readVarInt(buffer)];
                buffer.get(bytes);
                yield ObjectDataType.deserialize(bytes);
            }
        };
    }

    @Override
    public Object[] createStorage(int size) {
        return new Object[size];
    }
}
