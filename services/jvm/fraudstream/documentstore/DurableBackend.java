package fraudstream.documentstore;

import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import io.netty.channel.Channel;
import java.util.List;
import java.util.Locale;
import org.h2.mvstore.FileStore;
import org.h2.mvstore.MVStore;

/**
 * The backend that commits after each write, before its reply goes out.
 *
 * <p>Writes take turns: a commit in the middle of another write would keep half of it (a document without its key in
 * the index) if the process were killed then.
 */
final class DurableBackend extends Documents {
    // Compaction walks through whole collections: smaller files are left alone until the store is closed.
    private static final long UNCOMPACTED_BYTES = 512L * 1024 * 1024;
    private static final int LEAST_FILL_PERCENT = 40;
    private static final int COMPACTED_BYTES = 8 * 1024 * 1024;
    private static final int CLOSING_MILLIS = 1_500;

    private final Object turn = new Object();

    DurableBackend(MVStore store) {
        super(store);
        version(new Version());
    }

    /** Rewrites a few megabytes of a file that is large and mostly outdated, so that its space is reused. */
    void compact() {
        MVStore store = getMvStore();
        synchronized (turn) {
            FileStore<?> files = store.getFileStore();
            if (files.size() > UNCOMPACTED_BYTES && files.getChunksFillRate() < LEAST_FILL_PERCENT) {
                store.compact(LEAST_FILL_PERCENT, COMPACTED_BYTES);
            }
        }
    }

    @Override
    public Document handleMessage(MongoMessage message) {
        Document query = message.getDocument();
        String command = query.keySet().iterator().next();
        return handleCommand(message.getChannel(), message.getDatabaseName(), command, query);
    }

    @Override
    public Document handleCommand(Channel channel, String database, String command, Document query) {
        String name = command.toLowerCase(Locale.ROOT);
        if (name.equals("createindexes") && !Commands.keepUnique(query)) {
            return new Document("ok", 1.0);
        }
        Document counting = name.equals("aggregate") ? Commands.counting(query) : null;
        if (counting != null) {
            Document counted = read(channel, database, "count", counting);
            return Commands.countAnswer(database + "." + query.get("aggregate"), counted);
        }
        if (!Commands.writes(name, query)) {
            return read(channel, database, command, query);
        }
        Document answer = Commands.withCodes(write(channel, database, command, query));
        return name.equals("insert") ? Commands.withInserted(query, answer) : answer;
    }

    private Document read(Channel channel, String database, String command, Document query) {
        // While a version is in use, compaction keeps the pages that a scan still has to visit.
        MVStore store = getMvStore();
        MVStore.TxCounter version = store.registerVersionUsage();
        try {
            return super.handleCommand(channel, database, command, query);
        } finally {
            store.deregisterVersionUsage(version);
        }
    }

    private Document write(Channel channel, String database, String command, Document query) {
        synchronized (turn) {
            try {
                return super.handleCommand(channel, database, command, query);
            } finally {
                commit();
            }
        }
    }

    @Override
    public void dropDatabase(String database) {
        synchronized (turn) {
            try {
                super.dropDatabase(database);
            } finally {
                commit();
            }
        }
    }

    @Override
    public void close() {
        synchronized (turn) {
            getMvStore().close(CLOSING_MILLIS);
        }
    }

    /** The version that clients see: PyMongo refuses the wire versions that the library offers. */
    private static final class Version implements MongoVersion {
        // PyMongo 4.20 and later need at least that of MongoDB 4.2; 13 is that of MongoDB 5.0.
        private static final int WIRE_VERSION = 13;

        @Override
        public List<Integer> getVersionArray() {
            return List.of(5, 0, 0);
        }

        @Override
        public String toVersionString() {
            return "5.0.0";
        }

        @Override
        public int getWireVersion() {
            return WIRE_VERSION;
        }
    }
}
