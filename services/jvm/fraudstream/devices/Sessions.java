package fraudstream.devices;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jetbrains.exodus.ExodusException;
import jetbrains.exodus.env.Cursor;
import jetbrains.exodus.env.Environment;
import jetbrains.exodus.env.Environments;
import jetbrains.exodus.env.Store;
import jetbrains.exodus.env.StoreConfig;
import jetbrains.exodus.env.Transaction;

/**
 * The files in which HiveMQ keeps sessions. After a kill in the wrong moment, or on a disk that lies, they may not be
 * readable any more, and HiveMQ would wait for them for ever. Clients subscribe again; they must be able to come back.
 */
final class Sessions {
    private Sessions() {
    }

    /** Moves what cannot be read out of the way. */
    static void check(Path data, Link link) throws IOException {
        if (!Files.isDirectory(data.resolve("persistence"))) {
            return;
        }
        for (Path folder : environments(data)) {
            String problem = problem(folder);
            if (problem != null) {
                Path aside = data.resolve("damaged-" + Instant.now().toEpochMilli());
                Files.move(data.resolve("persistence"), aside);
                link.log("error", "sessions_set_aside", Map.of("folder", aside.toString(), "reason", problem));
                return;
            }
        }
    }

    private static List<Path> environments(Path data) throws IOException {
        try (Stream<Path> files = Files.walk(data.resolve("persistence"))) {
            return files.filter(file -> file.toString().endsWith(".xd")).map(Path::getParent).distinct()
                .collect(Collectors.toList());
        }
    }

    private static String problem(Path folder) {
        Environment environment = null;
        try {
            environment = Environments.newInstance(folder.toFile());
            environment.executeInReadonlyTransaction(Sessions::readAll);
            return null;
        } catch (ExodusException | IndexOutOfBoundsException | IllegalStateException error) {
            return error.toString();
        } finally {
            close(environment);
        }
    }

    private static void readAll(Transaction transaction) {
        Environment environment = transaction.getEnvironment();
        for (String name : environment.getAllStoreNames(transaction)) {
            Store store = environment.openStore(name, StoreConfig.USE_EXISTING, transaction);
            try (Cursor cursor = store.openCursor(transaction)) {
                while (cursor.getNext()) {
                    cursor.getValue();
                }
            }
        }
    }

    private static void close(Environment environment) {
        try {
            if (environment != null) {
                environment.close();
            }
        } catch (ExodusException | IllegalStateException error) {
            // It was not readable in the first place.
        }
    }
}
