package fraudstream.devices;

import com.hivemq.mqtt.message.publish.PUBLISH;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/**
 * Reads from a device's socket only while few of its messages wait: a device that sends faster than Kafka takes waits
 * itself, and neither fills the memory nor holds up another one.
 */
final class Flow extends ChannelInboundHandlerAdapter {
    private static final int MOST_MESSAGES = 64;
    private static final int MOST_BYTES = 2 * 1024 * 1024;

    private final Channel channel;
    private int messages;
    private long bytes;
    private boolean stopped;

    Flow(Channel channel) {
        this.channel = channel;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (message instanceof PUBLISH) {
            byte[] body = ((PUBLISH) message).getPayload();
            add(body == null ? 0 : body.length);
        }
        super.channelRead(context, message);
    }

    private synchronized void add(int size) {
        messages++;
        bytes += size;
        if (!stopped && (messages > MOST_MESSAGES || bytes > MOST_BYTES)) {
            stopped = true;
            channel.config().setAutoRead(false);
        }
    }

    /** A message of that many bytes waits no longer. */
    synchronized void done(int size) {
        messages = Math.max(0, messages - 1); // those that came before this handler was there were not counted
        bytes = Math.max(0, bytes - size);
        if (stopped && messages <= MOST_MESSAGES / 2 && bytes <= MOST_BYTES / 2) {
            stopped = false;
            channel.config().setAutoRead(true);
        }
    }
}
