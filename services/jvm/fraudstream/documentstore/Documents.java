package fraudstream.documentstore;

import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import de.bwaldvogel.mongo.bson.BinData;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.bson.BsonDecoder;
import de.bwaldvogel.mongo.wire.bson.BsonEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;
import org.h2.mvstore.type.ObjectDataType;

/**
 * The library's backend with formats of its own for keys and documents.
 *
 * The library lets MVStore serialize both by Java's own means, a key at each comparison of a search. Its maps are
 * opened here first, as it takes those that are open already. Janino compiles this: no lambdas, raw generics.
 */
public class Documents extends H2Backend {
    static final String DATABASES = "databases.";
    static final String INDEX = "._index_";

    public Documents(MVStore store) {
        super(store);
    }

    protected MongoDatabase openOrCreateDatabase(String name) {
        MVStore store = getMvStore();
        String namespace = name + ".";
        for (Iterator names = store.getMapNames().iterator(); names.hasNext();) {
            String map = (String) names.next();
            if (map.startsWith(DATABASES + namespace) || map.startsWith(namespace) && map.indexOf(INDEX) >= 0) {
                open(store, map);
            }
        }
        return new Collections(name, store, getCursorRegistry());
    }

    /** Open a map of documents or of an index; the library's own collections keep the library's formats. */
    static void open(MVStore store, String map) {
        if (map.indexOf(".system.") >= 0) {
            return;
        }
        MVMap.Builder builder = new MVMap.Builder();
        builder.keyType(new Keys());
        builder.valueType(map.indexOf(INDEX) >= 0 ? (BasicDataType) new Keys() : (BasicDataType) new Values());
        store.openMap(map, builder);
    }
}

final class Collections extends H2Database {
    // Null while the library's constructor opens what was there before, which is open by then.
    private final MVStore store;

    Collections(String name, MVStore store, CursorRegistry cursors) {
        super(name, store, cursors);
        this.store = store;
    }

    protected MongoCollection openOrCreateCollection(String collection, CollectionOptions options) {
        if (store != null) {
            Documents.open(store, Documents.DATABASES + getFullCollectionNamespace(collection));
        }
        return super.openOrCreateCollection(collection, options);
    }

    protected Index openOrCreateUniqueIndex(String collection, String index, List keys, boolean sparse) {
        if (store != null) {
            Documents.open(store, getFullCollectionNamespace(collection) + Documents.INDEX + index);
        }
        return super.openOrCreateUniqueIndex(collection, index, keys, sparse);
    }
}

/** A document's ``_id``, or the values of an index's key: numbers and texts as such, anything else as H2 does it. */
final class Keys extends BasicDataType {
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

    public int compare(Object a, Object b) {
        byte kind = kind(a);
        int other = kind - kind(b);
        if (other != 0) {
            return other;
        }
        switch (kind) {
            case INTEGER:
                return ((Integer) a).compareTo((Integer) b);
            case LONG:
                return ((Long) a).compareTo((Long) b);
            case DOUBLE:
                return ((Double) a).compareTo((Double) b);
            case TEXT:
                return ((String) a).compareTo((String) b);
            case VALUES:
                return compareValues((KeyValue) a, (KeyValue) b);
            default:
                return compareBytes(ObjectDataType.serialize(a), ObjectDataType.serialize(b));
        }
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

    private static int compareBytes(byte[] a, byte[] b) {
        for (int i = 0; i < a.length && i < b.length; i++) {
            if (a[i] != b[i]) {
                return (a[i] & 0xff) - (b[i] & 0xff);
            }
        }
        return a.length - b.length;
    }

    public int getMemory(Object key) {
        return key instanceof String ? 40 + 2 * ((String) key).length() : 64;
    }

    public void write(WriteBuffer buffer, Object key) {
        byte kind = kind(key);
        buffer.put(kind);
        switch (kind) {
            case INTEGER:
                buffer.putInt(((Integer) key).intValue());
                break;
            case LONG:
                buffer.putLong(((Long) key).longValue());
                break;
            case DOUBLE:
                buffer.putDouble(((Double) key).doubleValue());
                break;
            case TEXT:
                String text = (String) key;
                buffer.putVarInt(text.length());
                buffer.putStringData(text, text.length());
                break;
            case VALUES:
                KeyValue values = (KeyValue) key;
                buffer.putVarInt(values.size());
                for (int i = 0; i < values.size(); i++) {
                    write(buffer, values.get(i));
                }
                break;
            default:
                byte[] bytes = ObjectDataType.serialize(key);
                buffer.putVarInt(bytes.length);
                buffer.put(bytes);
        }
    }

    public Object read(ByteBuffer buffer) {
        byte kind = buffer.get();
        switch (kind) {
            case INTEGER:
                return Integer.valueOf(buffer.getInt());
            case LONG:
                return Long.valueOf(buffer.getLong());
            case DOUBLE:
                return Double.valueOf(buffer.getDouble());
            case TEXT:
                return DataUtils.readString(buffer, DataUtils.readVarInt(buffer));
            case VALUES:
                int size = DataUtils.readVarInt(buffer);
                ArrayList values = new ArrayList(size);
                for (int i = 0; i < size; i++) {
                    values.add(read(buffer));
                }
                return new KeyValue(values);
            default:
                byte[] bytes = new byte[DataUtils.readVarInt(buffer)];
                buffer.get(bytes);
                return ObjectDataType.deserialize(bytes);
        }
    }

    public Object[] createStorage(int size) {
        return new Object[size];
    }
}

/** A document as BSON. */
final class Values extends BasicDataType {
    // What a field takes in memory with its name and an ordinary value; H2 sizes its pages and cache by it.
    private static final int FIELD_BYTES = 60;

    public int getMemory(Object document) {
        return 100 + (int) Math.min(memory(document), Integer.MAX_VALUE / 2);
    }

    /** Guessed from samples, a few large documents among many small ones would fill the heap as cache. */
    public boolean isMemoryEstimationAllowed() {
        return false;
    }

    /** A guess, which counts each field alike and what goes beyond that in texts and bytes by its length. */
    private static long memory(Object value) {
        if (value instanceof String) {
            return Math.max(((String) value).length() - FIELD_BYTES, 0);
        } else if (value instanceof byte[]) {
            return ((byte[]) value).length;
        } else if (value instanceof BinData) {
            return ((BinData) value).getData().length;
        }
        Iterator parts = null;
        if (value instanceof Document) {
            parts = ((Document) value).values().iterator();
        } else if (value instanceof Collection) {
            parts = ((Collection) value).iterator();
        }
        long bytes = 0;
        while (parts != null && parts.hasNext()) {
            bytes += FIELD_BYTES + memory(parts.next());
        }
        return bytes;
    }

    public void write(WriteBuffer buffer, Object document) {
        ByteBuf bytes = Unpooled.buffer(1024);
        BsonEncoder.encodeDocument((Document) document, bytes);
        buffer.putVarInt(bytes.readableBytes());
        buffer.put(bytes.array(), bytes.arrayOffset(), bytes.readableBytes());
    }

    public Object read(ByteBuffer buffer) {
        int length = DataUtils.readVarInt(buffer);
        ByteBuffer bytes = (ByteBuffer) buffer.slice();
        bytes.limit(length);
        buffer.position(buffer.position() + length);
        return BsonDecoder.decodeBson(Unpooled.wrappedBuffer(bytes));
    }

    public Object[] createStorage(int size) {
        return new Object[size];
    }
}
