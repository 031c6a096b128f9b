using System.Text;
using EdgeDm.DevHub.Launching.Containers;

namespace EdgeDm.DevHub.Tests.Launching.Containers;

public sealed class DockerOutputTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4096)]
    public async Task Read_FramesInPiecesOfAnySize_GivesBothOutputsInTheirOrder(int piece)
    {
        byte[] frames = [.. Frame(1, "out\n"), .. Frame(2, ""), .. Frame(2, "err\n"), .. Frame(1, "no end")];
        using var output = new DockerOutput(new Trickle(frames, piece));

        using var reader = new StreamReader(output);
        (await reader.ReadToEndAsync()).ShouldBe("out\nerr\nno end");
    }

    [Fact]
    public async Task Read_StreamCutInAHeader_Ends()
    {
        using var output = new DockerOutput(new MemoryStream(Frame(1, "x")[..5]));

        (await output.ReadAsync(new byte[10].AsMemory())).ShouldBe(0);
    }

    private static byte[] Frame(byte which, string text) =>
        [which, 0, 0, 0, 0, 0, 0, (byte)text.Length, .. Encoding.UTF8.GetBytes(text)];

    private sealed class Trickle(byte[] content, int piece) : MemoryStream(content)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(piece, buffer.Length)], cancellationToken);
    }
}
