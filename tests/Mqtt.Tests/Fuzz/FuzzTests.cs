using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeDm.Mqtt.Tests.Fuzz;

/// <summary>Whatever arrives is read, waited for or refused by <see cref="MqttProtocolException"/>; nothing else happens.</summary>
public sealed class FuzzTests
{
    private const int MostMutants = 20_000;

    [Fact]
    public void Parse_MutatedPackets_HoldsWhatMustHold()
    {
        var mutator = new Mutator(20_240_911, PacketTarget.Seeds);
        for (var round = 0; round < MostMutants; round++)
        {
            var bytes = mutator.Next();
            PacketTarget.Try(bytes, mutator.Cut(bytes.Length));
        }
    }

    [Fact]
    public void Parse_AnyBytes_NeverFailsOtherwise() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(1_000),
            Prop.ForAll<byte[]>(bytes =>
            {
                PacketTarget.Try(bytes, bytes.Length / 2);
                return true;
            })
        );

    [Fact]
    public void Publish_AnyTopicAndPayload_RoundTripsInPieces() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(500),
            Prop.ForAll<NonEmptyString, byte[], ushort>(
                (text, payload, id) =>
                {
                    // U+0000 and lone surrogates have no place in MQTT; wildcards none in a topic.
                    var topic = new string([
                        .. text.Get.Where(c => c is not ('\0' or '+' or '#') && !char.IsSurrogate(c)),
                    ]);
                    if (topic.Length == 0)
                    {
                        return true;
                    }
                    var qos = id == 0 ? MqttQoS.AtMostOnce : MqttQoS.AtLeastOnce;
                    var pieces = Wire.OneByOne(Wire.Bytes(w => PublishPacket.Write(w, topic, payload, qos, id)));
                    return MqttFrame.TryReadFrame(ref pieces, Wire.Limit, out var frame)
                        && PublishPacket.Parse(frame) is var read
                        && read.Topic == topic
                        && read.PacketId == id
                        && read.Payload.ToArray().AsSpan().SequenceEqual(payload);
                }
            )
        );

    /// <summary>
    /// As long as <c>EDGEDM_FUZZ_MINUTES</c> says, from <c>EDGEDM_FUZZ_SEED</c>; <c>scripts/fuzz mqtt</c>. An input that fails is in
    /// <c>EDGEDM_FUZZ_FOLDER</c>.
    /// </summary>
    [Fact(Explicit = true)]
    public void Campaign()
    {
        var minutes = Number("EDGEDM_FUZZ_MINUTES");
        var seed = Number("EDGEDM_FUZZ_SEED");
        var mutator = new Mutator(seed, PacketTarget.Seeds);
        var watch = Stopwatch.StartNew();
        var told = TimeSpan.Zero;
        var tried = 0L;
        while (watch.Elapsed < TimeSpan.FromMinutes(minutes))
        {
            var bytes = mutator.Next();
            try
            {
                PacketTarget.Try(bytes, mutator.Cut(bytes.Length));
            }
            catch (Exception error)
            {
                var file = Path.Combine(
                    Environment.GetEnvironmentVariable("EDGEDM_FUZZ_FOLDER")!,
                    $"mqtt-{seed}-{tried}.bin"
                );
                File.WriteAllBytes(file, bytes);
                throw new InvalidOperationException($"Input {tried} of seed {seed} fails; it is in '{file}'.", error);
            }
            tried++;
            if (watch.Elapsed - told >= TimeSpan.FromMinutes(1))
            {
                told = watch.Elapsed;
                Tell($"{told.TotalMinutes:0} of {minutes} minutes, {tried:N0} inputs");
            }
        }
        Tell($"seed {seed}: {tried:N0} inputs in {watch.Elapsed.TotalMinutes:0.0} minutes, none failed");
    }

    private static void Tell(FormattableString text) =>
        TestContext.Current.TestOutputHelper!.WriteLine(FormattableString.Invariant(text));

    private static int Number(string variable) =>
        int.Parse(Environment.GetEnvironmentVariable(variable)!, CultureInfo.InvariantCulture);
}
