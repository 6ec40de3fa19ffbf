package fraudstream.devices;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;

/** Key stores, which are all that HiveMQ reads, from the PEM files that everything else reads. */
final class Certificates {
    private Certificates() {
    }

    /** A key store with a certificate, what it is issued by, and its key. */
    static void keys(Path chain, Path key, String password, Path target) throws IOException, GeneralSecurityException {
        KeyStore store = empty();
        store.setKeyEntry("mqtt", key(key), password.toCharArray(), certificates(chain));
        write(store, password, target);
    }

    /** A key store with the authorities that devices' certificates are issued by. */
    static void authorities(Path file, String password, Path target) throws IOException, GeneralSecurityException {
        KeyStore store = empty();
        for (Certificate authority : certificates(file)) {
            store.setCertificateEntry("authority" + store.size(), authority);
        }
        write(store, password, target);
    }

    private static KeyStore empty() throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("JKS");
        store.load(null, null);
        return store;
    }

    private static Certificate[] certificates(Path file) throws IOException, GeneralSecurityException {
        try (InputStream in = Files.newInputStream(file)) {
            return CertificateFactory.getInstance("X.509").generateCertificates(in).toArray(Certificate[]::new);
        }
    }

    private static PrivateKey key(Path file) throws IOException, GeneralSecurityException {
        try (Reader reader = Files.newBufferedReader(file, StandardCharsets.US_ASCII);
            PEMParser parser = new PEMParser(reader)) {
            JcaPEMKeyConverter converter = new JcaPEMKeyConverter();
            for (Object entry = parser.readObject(); entry != null; entry = parser.readObject()) {
                if (entry instanceof PrivateKeyInfo) {
                    return converter.getPrivateKey((PrivateKeyInfo) entry);
                }
                if (entry instanceof PEMKeyPair) {
                    return converter.getPrivateKey(((PEMKeyPair) entry).getPrivateKeyInfo());
                }
            }
        }
        throw new GeneralSecurityException(file + " holds no private key without a password.");
    }

    private static void write(KeyStore store, String password, Path target)
        throws IOException, GeneralSecurityException {
        Files.deleteIfExists(target);
        Files.createFile(target, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try (OutputStream out = Files.newOutputStream(target)) {
            store.store(out, password.toCharArray());
        }
    }
}
