using System.Buffers;

namespace EdgeDm.DevHub.Files;

/// <summary>Copies a stream whose length nobody has promised.</summary>
internal static class BoundedCopy
{
    private const int Piece = 64 * 1024;

    /// <summary>Copies to the end.</summary>
    /// <param name="from">From where.</param>
    /// <param name="to">To where.</param>
    /// <param name="most">Most bytes.</param>
    /// <param name="tooLarge">The error when there are more.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How many those were.</returns>
    public static async Task<long> RunAsync(
        Stream from,
        Stream to,
        long most,
        Func<Exception> tooLarge,
        CancellationToken cancellationToken
    )
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Piece);
        try
        {
            long size = 0;
            while (await from.ReadAsync(buffer, cancellationToken) is var read and > 0)
            {
                size += read;
                if (size > most)
                {
                    throw tooLarge();
                }
                await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }
            return size;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
