package io.cowfs.tools.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.fuse.kernel.MountException;
import io.cowfs.tools.command.TableOptions.Unknown;
import java.util.List;
import org.junit.jupiter.api.Test;

class TableOptionsTest {
  private static TableOptions sorted(Unknown unknown, String options) throws MountException {
    return TableOptions.of(List.of(options.split(",", -1)), unknown);
  }

  @Test
  void whatIsForMountAndForPeopleIsLeftOut() throws MountException {
    TableOptions sorted =
        sorted(
            Unknown.REFUSE,
            "rw,noauto,nofail,_netdev,user=anna,users,owner,group,x-systemd.after=a.service,"
                + "X-b,comment=c,uhelper=d,,noatime,usersnap,writeback=off,noexec");
    assertEquals(List.of("rw", "", "noatime", "usersnap", "writeback=off", "noexec"), sorted.own());
    assertFalse(sorted.remount());
  }

  @Test
  void whatNobodyKnowsIsRefusedByNameOrIgnored() throws MountException {
    MountException refused =
        assertThrows(MountException.class, () -> sorted(Unknown.REFUSE, "ro,nonsense"));
    assertEquals("unknown mount option: nonsense", refused.getMessage());
    assertEquals(List.of("ro"), sorted(Unknown.IGNORE, "ro,nonsense").own());
  }

  @Test
  void whatTheKernelShowsIsKnownInARemountOnly() throws MountException {
    String shown = "rw,relatime,user_id=0,group_id=0,default_permissions,max_read=1048576";
    assertThrows(MountException.class, () -> sorted(Unknown.REFUSE, shown));
    TableOptions remount = sorted(Unknown.REFUSE, shown + ",remount,ro");
    assertTrue(remount.remount());
    assertEquals(List.of("rw", "relatime", "default_permissions", "ro"), remount.own());
  }
}
