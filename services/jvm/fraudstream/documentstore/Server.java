package fraudstream.documentstore;

import de.bwaldvogel.mongo.MongoServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.MVStoreException;
import sun.misc.Signal;

/**
 * An embedded document store that speaks MongoDB's protocol: mongo-java-server on H2's MVStore.
 *
 * <p>{@code Server HOST PORT FILE} serves a file of the working folder until SIGTERM or SIGINT, which end it in order
 * with status 0. A write that was acknowledged survives the process being killed. H2 takes a backslash in a folder's
 * name for a slash, and a tilde for the user's home: the file is therefore a plain name.
 */
public final class Server {
    private static final long MAINTENANCE_SECONDS = 5;
    // Outdated chunks are kept for this time before their space is reused: after a power cut H2 finds an older state.
    private static final int RETENTION_MILLIS = 10_000;
    private static final int CACHE_MEGABYTES = 64;

    private Server() {
    }

    /** Serves until SIGTERM or SIGINT. Exit statuses: 0, or 1 after a log line that says what to do. */
    public static void main(String[] arguments) throws InterruptedException {
        int status;
        try {
            serve(arguments[0], Integer.parseInt(arguments[1]), Path.of(arguments[2]));
            status = 0;
        } catch (Stopped error) {
            Log.error("stopped", Map.of("reason", error.getMessage()));
            status = 1;
        }
        // An orderly exit would wait some seconds for the library's threads, which have nothing left to do.
        Runtime.getRuntime().halt(status);
    }

    private static void serve(String host, int port, Path file) throws InterruptedException {
        CountDownLatch ending = new CountDownLatch(1);
        for (String name : new String[] {"TERM", "INT"}) {
            Signal.handle(new Signal(name), signal -> ending.countDown());
        }
        MVStore store = open(file);
        DurableBackend backend = new DurableBackend(store);
        MongoServer server = new MongoServer(backend);
        try {
            server.bind(host, port);
        } catch (RuntimeException error) {
            store.close();
            throw new Stopped("The document store cannot listen on " + host + ":" + port + " (" + error.getMessage()
                + "). End what listens there, or set FRAUDSTREAM_MONGO_PORT.");
        }
        Log.info("listening", Map.of("host", host, "port", port, "file", file.toString(), "bytes", size(file)));
        while (!ending.await(MAINTENANCE_SECONDS, TimeUnit.SECONDS)) {
            if (store.isClosed()) { // H2 closes it when a write to the file fails; a restart reads what was committed
                throw new Stopped(file + " could not be written. Is the disk full? Free some space.");
            }
            backend.compact();
        }
        server.stopListening();
        backend.close();
        Log.info("closed", Map.of("file", file.toString(), "bytes", size(file)));
    }

    private static MVStore open(Path file) {
        MVStore store;
        try {
            store = new MVStore.Builder().fileName("./" + file).autoCommitDisabled().cacheSize(CACHE_MEGABYTES)
                .compress().open();
        } catch (MVStoreException error) {
            throw new Stopped("The documents in " + file.toAbsolutePath() + " cannot be opened (" + error.getMessage()
                + "). If another process has them open, end it; if they are damaged, `fraudstream reset` starts anew.");
        }
        store.setRetentionTime(RETENTION_MILLIS);
        store.setVersionsToKeep(0);
        return store;
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException error) {
            return -1;
        }
    }

    /** Why the store cannot serve, and what to do. */
    private static final class Stopped extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Stopped(String reason) {
            super(reason);
        }
    }
}
