package fraudstream.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;

/**
 * Hadoop's local file system, with permissions set by this process: without its native library Hadoop starts a
 * {@code chmod} for each file, of which every micro-batch's checkpoint has several.
 */
public class LocalFiles extends LocalFileSystem {
    /** For Hadoop, which makes it by its name. */
    public LocalFiles() {
        super(new Raw());
    }

    private static final class Raw extends RawLocalFileSystem {
        @Override
        public void setPermission(Path path, FsPermission permission) throws IOException {
            try {
                Files.setPosixFilePermissions(pathToFile(path).toPath(), permissions(permission.toShort()));
            } catch (UnsupportedOperationException noPosixHere) {
                super.setPermission(path, permission);
            }
        }

        private static Set<PosixFilePermission> permissions(int mode) {
            StringBuilder letters = new StringBuilder(9);
            for (int bit = 8; bit >= 0; bit--) {
                letters.append((mode >> bit & 1) == 1 ? "rwx".charAt(2 - bit % 3) : '-');
            }
            return PosixFilePermissions.fromString(letters.toString());
        }
    }
}
