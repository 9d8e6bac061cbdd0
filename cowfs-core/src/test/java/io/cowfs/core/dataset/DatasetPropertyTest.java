package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.dataset.DatasetException.Reason;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DatasetPropertyTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "compression|off|none",
        "compression|none|none",
        "compression|lz4|lz4",
        "compression|zstd|zstd-3",
        "compression|zstd-19|zstd-19",
        "copies|2|2",
        "quota|none|none",
        "quota|10G|10G",
        "quota|10240M|10G",
        "quota|1.5t|1536G",
        "quota|1025|1025",
        "quota|1|1",
        "quota|9223372036854775807|9223372036854775807",
        "readonly|on|on",
        "snapdir|visible|visible",
        "atime|relatime|relatime",
        "checkpoints|on|on",
        "checkpoints|60s:3600s|1m:1h",
        "checkpoints|1s:60s  60s:60m|on",
        "snapshot.schedule|daily:7 hourly:024|hourly:24 daily:7",
        "snapshot.schedule|none|none",
        "mountpoint|/srv//data/|/srv/data",
        "mountpoint|/srv/ä b|/srv/ä b",
        "mountpoint|none|none",
      })
  void aValueHasOneNormalForm(String name, String value, String normal) throws Exception {
    DatasetProperty property = DatasetProperty.find(name).orElseThrow();
    assertEquals(normal, property.normalise(value));
    assertEquals(normal, property.normalise(normal));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "compression|zstd-0",
        "compression|zstd-20",
        "compression|gzip",
        "compression|LZ4",
        "compression|''",
        "copies|0",
        "copies|4",
        "copies|''",
        "quota|0",
        "quota|-1G",
        "quota|10X",
        "quota|''",
        "quota|8E",
        "quota|99999999999999999999",
        "quota|off",
        "readonly|yes",
        "readonly|On",
        "readonly|' on'",
        "snapdir|on",
        "atime|noatime",
        "checkpoints|none",
        "snapshot.schedule|off",
        "mountpoint|srv",
        "mountpoint|/",
        "mountpoint|//",
        "mountpoint|/srv/../etc",
        "mountpoint|/srv/.",
        "mountpoint|''",
      })
  void anotherValueIsRefusedInOneLineThatNamesTheProperty(String name, String value) {
    assertRefused(DatasetProperty.find(name).orElseThrow(), value);
  }

  @Test
  void noPropertyTakesControlCharactersHalvesOfCharactersOrLongText() {
    for (DatasetProperty property : DatasetProperty.values()) {
      for (String bad : new String[] {"\0", "\n", "\u007f", "\u0085", "\ud800"}) {
        assertRefused(property, property.defaultValue() + bad);
        assertRefused(property, "/" + bad);
      }
      assertRefused(property, "/" + "a".repeat(PropertyText.MAX_VALUE_BYTES));
      assertRefused(property, "/" + "9:".repeat(1_000_000));
    }
  }

  @Test
  void aDefaultIsInItsNormalForm() throws DatasetException {
    for (DatasetProperty property : DatasetProperty.values()) {
      assertEquals(property.defaultValue(), property.normalise(property.defaultValue()));
    }
  }

  @Test
  void aPropertyIsFoundByItsExactName() {
    for (DatasetProperty property : DatasetProperty.values()) {
      assertEquals(Optional.of(property), DatasetProperty.find(property.text()));
    }
    assertEquals(Optional.empty(), DatasetProperty.find("Quota"));
    assertEquals(Optional.empty(), DatasetProperty.find(""));
  }

  @Test
  void theMessageSaysWhatToWrite() {
    DatasetException e =
        assertThrows(DatasetException.class, () -> DatasetProperty.ATIME.normalise("never"));
    assertEquals("atime: use relatime, on or off, not 'never'", e.getMessage());
  }

  private static void assertRefused(DatasetProperty property, String value) {
    DatasetException e =
        assertThrows(DatasetException.class, () -> property.normalise(value), property.text());
    assertEquals(Reason.INVALID_VALUE, e.reason());
    assertTrue(e.getMessage().contains(property.text()), e.getMessage());
    assertTrue(e.getMessage().length() < 2_000, property.text());
    assertFalse(e.getMessage().chars().anyMatch(Character::isISOControl), e.getMessage());
  }
}
